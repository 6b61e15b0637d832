// The service as docs/operations.md installs it, in an empty root, started as its unit says.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import t from "tap";

/** The commands of the documentation, as an administrator types them. */
const page = readFileSync("docs/operations.md", "utf8");
const documented = /```sh\n([\s\S]*?)```/.exec(page.slice(page.indexOf("## As a service")))?.[1] ?? "";
const unit = readFileSync("deploy/systemd/sigwall.service", "utf8");

function setting(name: string): string {
  return new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "";
}

/** Longest time for one machine. Milliseconds. */
const MOST = 180_000;

/** What a new machine has: programs, and the user root. `$ROOT` is empty, `$SOURCE` the project. */
const machine = `
set -eu
mount -t tmpfs none "$ROOT"
cd "$ROOT"
mkdir -p proc dev tmp etc var/lib opt run root source stubs
for path in usr bin sbin lib lib64; do
  if [ -L /$path ]; then cp -P /$path .; elif [ -d /$path ]; then mkdir $path; mount --rbind /$path $path; fi
done
mount --bind "$NODE" usr/bin/node
mount -t proc none proc
for device in null random urandom; do touch dev/$device; mount --bind /dev/$device dev/$device; done
chmod 1777 tmp
for name in pam.d pam.conf security login.defs nsswitch.conf; do [ ! -e /etc/$name ] || cp -r /etc/$name etc/; done
echo root:x:0:0:root:/root:/bin/sh >etc/passwd
echo root:x:0: >etc/group
mkdir -p etc/systemd/system
for name in dist docs config deploy package.json LICENSE NOTICE; do cp -r "$SOURCE/$name" source/; done
for module in $MODULES; do mkdir -p source/\${module%/*}; cp -r "$SOURCE/$module" source/\${module%/*}/; done
printf '#!/bin/sh\\necho "$@" >>/run/systemctl\\n' >stubs/systemctl
chmod +x stubs/systemctl
ip link set lo up
`;

/**
 * Starts the service as its unit says, asks whether it is ready, and ends it: as its user, without rights, with nothing
 * to write to but its folder. The system calls that the unit forbids are not forbidden here.
 */
const service = `
is_ready() {
  "$NODE" -e 'fetch("http://127.0.0.1:9464/readyz").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))'
}
start() {
  rm -f "$ROOT/run/log"
  : >"$ROOT/run/log"
  unshare --mount sh -c '
    mount --rbind "$ROOT" "$ROOT"
    mount -o remount,bind,ro "$ROOT"
    mount -o remount,bind,ro "$ROOT/usr"
    mount --bind "$ROOT/var/lib/${setting("StateDirectory")}" "$ROOT/var/lib/${setting("StateDirectory")}"
    mount -o remount,bind,rw "$ROOT/var/lib/${setting("StateDirectory")}"
    mount -t tmpfs none "$ROOT/tmp"
    umask ${setting("UMask")}
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin STATE_DIRECTORY=/var/lib/${setting("StateDirectory")} chroot "$ROOT" \\
      setpriv --reuid=${setting("User")} --regid=${setting("Group")} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
      ${setting("ExecStart")}
  ' >"$ROOT/run/log" 2>&1 &
  service=$!
  until is_ready || ! kill -0 $service 2>/dev/null; do sleep 0.1; done
  is_ready && echo ready || echo not ready
  kill -TERM $service 2>/dev/null || true
  code=0; wait $service || code=$?
  echo "exit $code"
}
`;

function play(script: string): { readonly text: string; readonly code: number | null } {
  const root = mkdtempSync(join(tmpdir(), "sigwall-root-"));
  const listed = spawnSync("npm", ["ls", "--omit=dev", "--parseable", "--all"], { encoding: "utf8" });
  const modules = listed.stdout
    .split("\n")
    .slice(1)
    .filter((path) => path !== "")
    .map((path) => relative(resolve("."), path));
  const ran = spawnSync(
    "unshare",
    ["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", machine + service + script],
    {
      encoding: "utf8",
      timeout: MOST,
      killSignal: "SIGKILL",
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        ROOT: root,
        SOURCE: resolve("."),
        NODE: process.execPath,
        MODULES: modules.join(" "),
        DOCUMENTED: documented,
      },
    },
  );
  // Its mounts were those of the namespace: only the empty folder is left.
  rmdirSync(root);
  return { text: ran.stdout + ran.stderr, code: ran.status };
}

/** What was printed below each heading. */
function partsOf(text: string): (name: string) => string {
  return (name) => text.split(`== ${name}\n`)[1]?.split("\n== ")[0] ?? "";
}

/** Why the machine can't be made here; undefined: it can. */
function missing(): string | undefined {
  const needed = ["unshare", "chroot", "setpriv", "runuser", "systemd-sysusers", "ip"];
  const found = spawnSync(
    "sh",
    [
      "-c",
      `PATH="$PATH:/usr/sbin:/sbin"; for p in ${needed.join(" ")}; do command -v $p >/dev/null || echo $p; done`,
    ],
    { encoding: "utf8" },
  );
  if (found.stdout !== "") return `not installed: ${found.stdout.trim().replaceAll("\n", " ")}`;
  if (!existsSync("/usr/bin/node")) return "Node is not at /usr/bin/node";
  const allowed = spawnSync("unshare", [
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "mount",
    "-t",
    "tmpfs",
    "none",
    "/mnt",
  ]);
  return allowed.status === 0 ? undefined : "no right to make namespaces and mounts";
}

/** Played with the umask of a hardened machine: what is copied is nobody else's to read until a command says so. */
const install = `
echo "== install"
chroot "$ROOT" sh -ec "cd /source; PATH=/stubs:/usr/sbin:/usr/bin:/sbin:/bin; umask 077; $DOCUMENTED"
`;

void t.test("the service: installed as documented into an empty root, it starts as its user", (t) => {
  const why = missing();
  if (why !== undefined) {
    t.pass("service", { skip: `the service install is left out: ${why}` });
    t.end();
    return;
  }
  const { text, code } = play(`${install}
echo "== systemctl"; cat "$ROOT/run/systemctl"
echo "== first start"; start; cat "$ROOT/run/log"
echo "== key"; stat -c '%a %n' "$ROOT"/var/lib/sigwall/sigwall.key; chroot "$ROOT" stat -c '%U:%G %a' /var/lib/sigwall /var/lib/sigwall/sigwall.key
before=$(cat "$ROOT/var/lib/sigwall/sigwall.key")
echo "== second start"; start
[ "$before" = "$(cat "$ROOT/var/lib/sigwall/sigwall.key")" ] && echo "the same key"
ls "$ROOT/etc/sigwall"
`);
  const part = partsOf(text);
  t.equal(code, 0, "every command succeeds");
  t.match(part("install"), "result         0 errors, 0 warnings", "check, as the user of the service");
  t.match(part("systemctl"), "daemon-reload\nenable --now sigwall.socket sigwall.service");
  t.match(part("first start"), /^ready\nexit 0\n/);
  t.match(part("key"), "sigwall:sigwall 700\nsigwall:sigwall 600");
  t.match(part("second start"), /^ready\nexit 0\nthe same key\n/);
  t.notMatch(part("second start"), "sigwall.key\n", "nothing is written beside the configuration");
  t.end();
});

void t.test("the service: a key beside sigwall.yaml can't be made, and check says so", (t) => {
  const why = missing();
  if (why !== undefined) {
    t.pass("service", { skip: `the service install is left out: ${why}` });
    t.end();
    return;
  }
  const { text } = play(`${install}
sed -i 's#^keyFile: .*#keyFile: sigwall.key#' "$ROOT/etc/sigwall/sigwall.yaml"
echo "== check"
chroot "$ROOT" runuser -u sigwall -- /usr/bin/node /opt/sigwall/dist/main.js check --config /etc/sigwall/sigwall.yaml || true
echo "== start"; start; cat "$ROOT/run/log"
`);
  const part = partsOf(text);
  t.match(part("check"), "keyFile: warning: /etc/sigwall/sigwall.key: can't make the key file");
  t.match(part("start"), /^not ready\nexit 1\n/);
  t.match(part("start"), "/etc/sigwall/sigwall.key: can't make the key file");
  t.end();
});
