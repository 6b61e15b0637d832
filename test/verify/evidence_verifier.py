"""A verifier of evidence exports that shares no code with sigwall: Python's standard library, and openssl for Ed25519.

Written from RFC 6962 (sections 2.1 and 2.1.1), c2sp.org/tlog-proof, c2sp.org/tlog-checkpoint, c2sp.org/signed-note and
draft-ietf-opsawg-pcapng.

Usage: evidence_verifier.py EXPORT [PUBLIC-KEY]. Ends with 0 when every packet block of EXPORT/evidence.pcapng is proved
by a leaf-N.tlog-proof under the key, else with 1.
"""

import base64
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile


def packet_blocks(data):
    """Yields the Enhanced Packet Blocks of a little-endian pcapng file, each as a whole."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            raise ValueError(f"a block of {length} octets at octet {at}")
        if struct.unpack_from("<I", data, at + length - 4)[0] != length:
            raise ValueError(f"the two lengths of the block at octet {at} differ")
        if at == 0 and (kind != 0x0A0D0D0A or struct.unpack_from("<I", data, 8)[0] != 0x1A2B3C4D):
            raise ValueError("no little-endian pcapng file")
        if kind == 6:
            yield data[at : at + length]
        at += length


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def tree_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    """The largest power of two below size (RFC 6962 section 2.1)."""
    k = 1
    while 2 * k < size:
        k *= 2
    return k


def root_of(index, size, leaf, path):
    """Follows an audit path from the root down, as section 2.1.1 defines it. The last hash of the path is used first."""
    if size == 1:
        if path:
            raise ValueError("the path is too long")
        return leaf
    if not path:
        raise ValueError("the path is too short")
    k = split(size)
    if index < k:
        return tree_hash(root_of(index, k, leaf, path[:-1]), path[-1])
    return tree_hash(path[-1], root_of(index - k, size - k, leaf, path[:-1]))


def read_key(line):
    name, key_id, encoded = line.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if len(raw) != 33 or raw[0] != 1:
        raise ValueError("no Ed25519 key")
    if hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] != key_id:
        raise ValueError("the key id does not fit the key")
    return name, bytes.fromhex(key_id), raw[1:]


def is_signed(text, signature, public):
    """Verifies an Ed25519 signature with openssl."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + public)
        (place / "text").write_bytes(text)
        (place / "signature").write_bytes(signature)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"]
        command += ["-inkey", place / "key", "-in", place / "text", "-sigfile", place / "signature"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def open_checkpoint(note, key):
    """Returns size and root of a checkpoint that the key has signed."""
    name, key_id, public = key
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        signature = base64.b64decode(encoded, validate=True)
        if dash == "\u2014" and signer == name and signature[:4] == key_id:
            if not is_signed(text.encode(), signature[4:], public):
                raise ValueError("the signature of the checkpoint is wrong")
            origin, size, root = text.splitlines()[:3]
            if origin != name:
                raise ValueError("the checkpoint is one of another log")
            return int(size), base64.b64decode(root, validate=True)
    raise ValueError("the checkpoint is not signed by this key")


def read_proof(text):
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise ValueError("no proof")
    if lines[0].startswith("extra "):
        lines.pop(0)
    word, index = lines.pop(0).split(" ")
    if word != "index" or str(int(index)) != index:
        raise ValueError("no index")
    return int(index), [base64.b64decode(line, validate=True) for line in lines], note


def verify(export, key_file):
    key = read_key(key_file.read_text(encoding="utf-8"))
    proofs = [read_proof(path.read_text(encoding="utf-8")) for path in export.glob("leaf-*.tlog-proof")]
    proofs.sort(key=lambda proof: proof[0])
    blocks = list(packet_blocks((export / "evidence.pcapng").read_bytes()))
    if not blocks or len(blocks) != len(proofs):
        raise ValueError(f"{len(blocks)} blocks and {len(proofs)} proofs")
    for block, (index, path, note) in zip(blocks, proofs):
        size, root = open_checkpoint(note, key)
        if index >= size or root_of(index, size, leaf_hash(block), path) != root:
            raise ValueError(f"the block of leaf {index} is not in the tree")
    return len(blocks)


def main():
    export = pathlib.Path(sys.argv[1])
    key_file = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else export / "public.key"
    try:
        print(f"{verify(export, key_file)} blocks proved")
    except (ValueError, OSError, IndexError, struct.error) as error:
        print(f"refused: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
