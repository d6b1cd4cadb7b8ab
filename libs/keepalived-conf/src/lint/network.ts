// Subnets of addresses.
import { type IpAddress, ipToBytes } from "@baton/domain";

export interface AddressInNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** A key for the subnet; undefined for a single host, which says nothing of the network that it is in. */
export function networkOf({ address, prefixLength }: AddressInNetwork): string | undefined {
  const bytes = ipToBytes(address);
  return prefixLength >= bytes.length * 8 ? undefined : keyOf(bytes, prefixLength);
}

export function isInNetwork(address: IpAddress, network: AddressInNetwork): boolean {
  const [own, other] = [ipToBytes(address), ipToBytes(network.address)];
  return own.length === other.length && keyOf(own, network.prefixLength) === keyOf(other, network.prefixLength);
}

const keyOf = (bytes: Uint8Array, prefixLength: number): string =>
  `${[...bytes].map((byte, index) => byte & maskByte(prefixLength - 8 * index)).join(".")}/${prefixLength}`;

const maskByte = (bits: number): number => (bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff);
