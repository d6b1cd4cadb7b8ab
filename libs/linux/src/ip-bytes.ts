// Addresses as the kernel writes them: 4 or 16 bytes in network order.
import { assert, type IpAddress, parseIp } from "@baton/domain";

/** The address in `bytes` from `offset` on, of 4 or 16 bytes. */
export function ipFromBytes(bytes: Uint8Array, offset: number, length: number): IpAddress {
  if (length !== 4 && length !== 16) assert(false, `an address has 4 or 16 bytes, not ${length}`);
  assert(offset + length <= bytes.length, "the address lies within the bytes");
  const text =
    length === 4
      ? `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`
      : Buffer.from(bytes.subarray(offset, offset + length))
          .toString("hex")
          .replace(/(....)(?!$)/g, "$1:");
  const address = parseIp(text);
  if (address === undefined) assert(false, `bytes are always an address: ${text}`);
  return address;
}

/** "aa:bb:cc:dd:ee:ff" */
export function macFromBytes(bytes: Uint8Array, offset: number): string {
  const part = bytes.subarray(offset, offset + 6);
  return Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

export function macToBytes(mac: string): Uint8Array {
  assert(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac), `not a MAC address: ${mac}`);
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16));
}
