import "./net/address.ts";
