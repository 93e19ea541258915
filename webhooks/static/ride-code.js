// Ride codes made on the phone (docs/transit-code.md, kind D): the key never leaves it, nor could it.

const DEVICE_TAG = new TextEncoder().encode("bianmin-device-code-1\0");
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const NONCE_BYTES = 8;

/** Whether this phone can make codes at all; if not, the server does (kind S). */
export const able = () => Boolean(globalThis.crypto?.subtle && window.isSecureContext);

/** A new key of this page: what signs, and the public half as the grant names it (33 bytes, base64url). */
export async function newKey() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)); // 4, x, y
  const odd = point[64] & 1;
  return { privateKey, name: toBase64url(Uint8Array.of(2 + odd, ...point.subarray(1, 33))) };
}

/** The text of a code under a grant, made at `time` (Unix seconds). */
export async function rideCode(grant, privateKey, time) {
  const moment = new Uint8Array(4 + NONCE_BYTES);
  new DataView(moment.buffer).setUint32(0, time);
  crypto.getRandomValues(moment.subarray(4));
  const made = joined(grant, moment);
  const signature = await crypto.subtle.sign(ECDSA, privateKey, joined(DEVICE_TAG, made));
  return base45(joined(made, new Uint8Array(signature)));
}

/** RFC 9285: two bytes are three of the characters that a QR code holds most tightly. */
export function base45(bytes) {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const value = bytes[at] * 256 + bytes[at + 1];
    text += LETTERS[value % 45] + LETTERS[Math.floor(value / 45) % 45] + LETTERS[Math.floor(value / 2025)];
  }
  if (bytes.length % 2) {
    const value = bytes[bytes.length - 1];
    text += LETTERS[value % 45] + LETTERS[Math.floor(value / 45)];
  }
  return text;
}

export const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const toBase64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
