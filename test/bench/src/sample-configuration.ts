// Configurations of any size, as people write them: what the reading of is measured.

export interface Sample {
  /** As in "1000 virtual servers". */
  readonly name: string;
  /** Virtual servers or instances. */
  readonly size: number;
  readonly text: string;
}

/** Two bytes of an address: `i` counts through networks of 254 hosts. */
const host = (i: number): string => `${Math.floor(i / 254) % 256}.${(i % 254) + 1}`;

const virtualServer = (i: number): string => `
virtual_server 10.${Math.floor(i / 65_024)}.${host(i)} 80 {
    delay_loop 6
    lb_algo wlc
    lb_kind NAT
    persistence_timeout 50
    protocol TCP

    real_server 172.16.${host(2 * i)} 8080 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }
    }
    real_server 172.17.${host(2 * i + 1)} 8080 {
        weight 1
        HTTP_GET {
            url {
                path /health
                status_code 200
            }
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }
    }
}
`;

/** Two real servers each, one checked by TCP_CHECK, one by HTTP_GET. */
export const virtualServers = (size: number): Sample => ({
  name: `${size} virtual servers`,
  size,
  text: `global_defs {\n    router_id lb1\n}\n${Array.from({ length: size }, (_, i) => virtualServer(i)).join("")}`,
});

/** VRIDs go up to 255. */
const instancesOfInterface = 250;

const instance = (i: number): string => `
vrrp_instance VI_${i} {
    state BACKUP
    interface eth${Math.floor(i / instancesOfInterface)}
    virtual_router_id ${(i % instancesOfInterface) + 1}
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret12
    }
    virtual_ipaddress {
        10.${Math.floor(i / 254)}.${(i % 254) + 1}.1/24
        10.${Math.floor(i / 254)}.${(i % 254) + 1}.2/24
    }
}
`;

/** On as many interfaces, eth0 and so on, as it takes. */
export const instances = (size: number): Sample => ({
  name: `${size} vrrp instances`,
  size,
  text: `global_defs {\n    router_id lb1\n}\n${Array.from({ length: size }, (_, i) => instance(i)).join("")}`,
});

export const interfacesOf = (size: number): string[] =>
  Array.from({ length: Math.ceil(size / instancesOfInterface) }, (_, i) => `eth${i}`);
