// Many virtual routers on one wire, an address each: who pre-empts them has to take all of them at once.

export interface Crowd {
  readonly instances: number;
  /** Between two adverts. */
  readonly seconds: number;
}

export const crowdAddress = (index: number): string => `172.16.100.${index + 1}`;

export const crowdConfig = ({ instances, seconds }: Crowd, priority: number): string =>
  Array.from(
    { length: instances },
    (_, index) => `vrrp_instance VI_${index + 1} {
  interface eth0
  version 3
  priority ${priority}
  virtual_router_id ${index + 51}
  advert_int ${seconds}
  virtual_ipaddress {
    ${crowdAddress(index)}/16 dev eth0
  }
}
`,
  ).join("");
