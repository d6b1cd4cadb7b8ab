// Nothing that the Config says may change without a word: every value of a configuration that uses every field, one after
// the other, and the fields are those that the types declare.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canonicalJson } from "../canonical-json.ts";
import type { Config } from "../config.ts";
import { configOf } from "../testing/examples.ts";
import { diffConfig } from "./diff-config.ts";
import { changeSentences } from "./sentences.ts";

const most = configOf(`
global_defs {
  router_id r
  notification_email { a@b c@d }
  notification_email_from x@y
  smtp_server mail 26
  smtp_helo_name h
  enable_script_security
  script_user u g
  startup_script "/bin/up" u g
  shutdown_script "/bin/down"
  notify_fifo /run/all u g
  notify_fifo_script "/bin/reader" u g
  vrrp_rx_bufs_policy 4096
  vrrp_rx_bufs_multiplier 2
  lvs_timeouts tcp 10 tcpfin 20 udp 30
  lvs_sync_daemon eth0 A id 3 maxlen 1400 port 8849 ttl 2 group 224.0.0.81
  nftables_ipvs batonipvs 3 counters
  nftables baton 5
  snmp_socket udp:127.0.0.1:705
  enable_snmp_vrrp
  enable_dbus
  bfd_process_name b
  bfd_cpu_affinity 0 1
  bfd_rlimit_rttime 5000
  vrrp_netlink_cmd_rcv_bufs 1000000
  reload_file /run/reload
  json_version 2
}
interface_up_down_delays { 
  eth0 3 4
}
garp_group {
  garp_interval 1
  gna_interval 2
  interfaces {
    eth0
    eth1
  }
}
linkbeat_interfaces { 
  eth2 MII
}
track_group T { 
  group { A } 
}
static_ipaddress {
  10.7.0.1/24 dev eth0 track_group T
}
static_routes { 
  10.8.0.0/16 via 10.7.0.9 dev eth0 track_group T
  10.9.0.0/16 encap mpls 16/17 via 10.7.0.9 dev eth0
  2001:db8:1::/64 encap ila 1:2:3:4 via 2001:db8::9 dev eth0 from 2001:db8:2::/64 expires 9 pref high
}
static_rules { 
  to 10.8.0.0/16 iif eth0 lookup 8 preference 9 track_group T
}
vrrp_script chk {
  script "/bin/true x"
  user a b
  weight 2 reverse
  rise 2
  fall 3
  init_fail
}
track_file F {
  file /run/number
  weight 3 reverse
  init_file 4 overwrite
}
vrrp_track_process P {
  process "/bin/daemon -x"
  param_match initial
  weight 3
  quorum 2
  quorum_max 5
  delay 3
}
bfd_instance B {
  neighbor_ip 10.0.0.3
  source_ip 10.0.0.9
  weight 5
}
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  authentication { 
    auth_type PASS
    auth_pass secret
  }
  use_vmac vr 02:00:00:00:00:01 group 4
  mcast_src_ip 10.0.0.9
  nopreempt
  timer_expired_backup 90
  kernel_rx_buf_size 4096
  track_interface { 
    eth1 weight 4
  }
  track_script {
    chk
  }
  track_file {
    F
  }
  track_process {
    P
  }
  track_bfd {
    B
  }
  virtual_ipaddress {
    10.0.0.1/24 label eth0:1 brd +
    10.0.0.7 peer 10.0.0.8
  }
  virtual_ipaddress_excluded {
    2001:db8::7/64 preferred_lft 9
  }
  virtual_routes {
    10.1.0.0/16 via 10.0.0.9 metric 5 mtu lock 1400 src 10.0.0.1 scope link realms 3/4 encap ip id 7 dst 10.2.0.1 src 10.2.0.2 tos 4 ttl 9 flags 1
    10.3.0.0/16 nexthop via 10.0.0.9 dev eth0 weight 4 realms 1/2 encap mpls 5 nexthop via 10.0.0.10 dev eth0 weight 2
  }
  virtual_rules {
    from 10.0.0.0/8 lookup 7 preference 100 fwmark 3/4 uidrange 1-2 sport 1-3 dport 4-5 ipproto tcp realms 1/2
    to 10.0.0.0/8 goto 200 preference 101 tunnel-id 7
    to 10.1.0.0/8 lookup 9 preference 102 suppress_ifgroup 4 suppress_prefixlength 3
  }
  notify_master "/m"
  notify_backup "/b"
  notify_fault "/f"
  notify_stop "/s"
  notify_deleted "/d"
  notify_master_rx_lower_pri "/l"
  notify "/n"
}
vrrp_instance C {
  interface eth1
  virtual_router_id 2
  use_ipvlan ipv 10.5.0.1/24 bridge
  virtual_ipaddress { 
    10.0.3.1
  }
}
vrrp_instance W {
  interface eth1
  virtual_router_id 3
  virtual_ipaddress {
    10.0.5.1
  }
}
vrrp_instance U {
  interface eth2
  virtual_router_id 3
  unicast_src_ip 10.0.2.1
  unicast_ttl 9
  unicast_peer { 
    10.0.2.2 min_ttl 3 max_ttl 200
  }
  auth_hmac { 
    key 1 0123456789abcdef0123456789abcdef
    key 2 file:/etc/key
    active_key 1
  }
  virtual_ipaddress {
    10.0.4.1
  }
}
vrrp_sync_group G {
  group { C W }
  notify_master "/gm"
  track_interface {
    eth3
  }
}
SSL {
  password p
  ca c.pem
  certificate e.pem
  key k.pem
}
virtual_server_group VSG {
  10.0.0.13-15 80
  fwmark 7
}
virtual_server group VSG {
  protocol UDP
  lb_algo rr
  real_server 10.0.0.14 80 {
    UDP_CHECK {
      payload 010203
      require_reply 04 05
      min_reply_length 2
      max_reply_length 9
    }
    DNS_CHECK {
      type A
      name www
    }
  }
}
virtual_server fwmark 9 {
  lb_algo rr
  lvs_method TUN type gue port 9 csum
  persistence_timeout 60
  real_server 10.0.0.15 0 {
    MISC_CHECK {
      misc_path "/bin/true"
      user u g
    }
    FILE_CHECK {
      track_file F
      weight 4
    }
    BFD_CHECK {
      name B
    }
  }
}
virtual_server 2001:db8::5 80 {
  protocol TCP
  lb_algo rr
  lvs_method DR
  persistence_timeout 60
  persistence_granularity 64
  real_server 2001:db8::6 80 {
    weight 2
  }
}
virtual_server 10.0.0.1 80 {
  protocol TCP
  lb_algo sh
  lb_kind NAT
  sh-port
  persistence_timeout 60
  persistence_granularity 255.255.255.0
  persistence_engine sip
  virtualhost v
  quorum_up "/qu" u g
  quorum_down "/qd"
  retry 3
  delay_before_retry 4
  warmup 5
  sorry_server 127.0.0.1 80
  real_server 10.0.0.2 80 {
    notify_up "/up"
    notify_down "/down"
    HTTP_GET {
      connect_port 81
      bindto 10.0.0.1
      bind_port 99
      bind_if eth0
      url {
        path /
        status_code 200-204 300
        digest d36f8f9425c4a8000ad9c4a97185aca5
      }
      url {
        path /x
        regex "a.b"
        regex_options caseless multiline
        regex_min_offset 3
        regex_max_offset 9
        regex_stack 1024 2048
      }
    }
    SSL_GET {
      enable_sni
      url { 
        path / 
      }
    }
    SMTP_CHECK {
      helo_name h
    }
    TCP_CHECK {
    }
    PING_CHECK {
    }
  }
}
`);

/** Beside nftables there is no iptables. */
const { iptables } = configOf("global_defs {\nvrrp_iptables IN OUT\nvrrp_ipsets a b c d e f\n}\n").global.firewall;
const rich: Config = {
  ...most,
  global: { ...most.global, firewall: { ...most.global.firewall, iptables } },
};

/** Every number, text, truth value, empty list and value that is not set, by its path. */
function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const members = Object.entries(value);
  return members.length === 0 ? [path] : members.flatMap(([key, member]) => leaves(member, [...path, key]));
}

function altered(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return `${value}1`;
  return Array.isArray(value) ? [{ name: "1" }] : "1";
}

function withAltered(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return altered(value);
  if (Array.isArray(value)) return value.map((member, i) => (String(i) === key ? withAltered(member, rest) : member));
  const entries = Object.entries(value ?? {});
  return Object.fromEntries(entries.map(([name, member]) => [name, name === key ? withAltered(member, rest) : member]));
}

const paths = leaves(rich);

test("the sample has a value in every field that the types declare", () => {
  const folder = join(import.meta.dirname, "../config");
  const types = [join(import.meta.dirname, "../config.ts"), ...readdirSync(folder).map((name) => join(folder, name))];
  const declared = types.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/readonly (\w+)\??:/g)]);
  const given = new Set(paths.flat());
  expect([...new Set(declared.map(([, name = ""]) => name))].filter((name) => !given.has(name))).toEqual([]);
});

const isTold = (before: Config, after: Config): boolean => changeSentences(diffConfig(before, after)).length > 0;

test("whichever of them changes is told, and so is the way back", () => {
  expect(paths.length).toBeGreaterThan(1000);
  const untold = paths.filter((path) => {
    const after = withAltered(rich, path) as Config;
    return canonicalJson(after) === canonicalJson(rich) || !isTold(rich, after) || !isTold(after, rich);
  });
  expect(untold).toEqual([]);
});
