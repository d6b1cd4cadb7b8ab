// What random files found, made short: each of these was once judged otherwise by keepalived than by us.
import type { Configuration } from "./trial.ts";

const instance = (lines: string, name = "VI_1", vrid = 51): string =>
  `vrrp_instance ${name} {\n  interface eth0\n  virtual_router_id ${vrid}\n${lines}\n}\n`;

const addresses = (count: number): string =>
  `virtual_ipaddress {\n${Array.from({ length: count }, (_, i) => `  fe80::${(i + 1).toString(16)}`).join("\n")}\n}`;

const one = "  virtual_ipaddress { 10.0.0.77 }";

const unused = `global_defs {
  enable_script_security
}
vrrp_script SCR {
  script /usr/bin/true
}
`;

const texts: Readonly<Record<string, string>> = {
  "an interface that a later line replaces": instance(`  interface nosuch0\n  interface eth0\n${one}`),
  "a group named twice": `vrrp_sync_group GRP {
  group {
    VI_1
  }
  group {
    VI_2
  }
  notify_master /usr/bin/true
}
${instance(one)}`,
  "a group named twice, first of nobody": `vrrp_sync_group GRP {\n  group {\n  }\n  group {\n    VI_1\n  }\n}\n${instance(one)}`,
  "a group named twice, the second without a brace": `vrrp_sync_group GRP {\n  group {\n    VI_1\n  }\n  group\n  smtp_alert\n}\n${instance(one)}`,
  "a track group named twice": `track_group GRP {\n  group {\n    VI_1\n  }\n  group {\n    VI_2\n  }\n  nosuch\n}\n${instance(one)}`,
  "servers of a service whose group is not there": `virtual_server group NOSUCH {
  lb_kind DR
  real_server 10.0.9.1 80 {
    weight x
    HTTP_GET {
    }
    MISC_CHECK {
    }
    BFD_CHECK {
    }
    UDP_CHECK {
      min_reply_length 32767
    }
  }
}
`,
  "a script whose user does not exist, without an instance": unused,
  "as many IPv6 addresses as an advert holds": instance(addresses(89)),
  "one more": instance(addresses(90)),
  "an address without an interface": `vrrp_instance VI_1 {
  virtual_router_id 1
  unicast_src_ip 10.0.0.9
  unicast_peer { 10.0.0.3 }
  virtual_ipaddress { 10.0.0.77 }
}
`,
};

export const regressions: readonly Configuration[] = Object.entries(texts).map(([name, text]) => ({ name, text }));
