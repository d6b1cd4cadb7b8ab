// A reload of many costs what has changed in it.
import { type Config, virtualServerName } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { configOf, pool, virtualServer } from "./testing/rig.ts";
import { Wish } from "./wish.ts";

const hosts = Array.from({ length: 500 }, (_none, at) => `192.0.${2 + (at >> 8)}.${at & 255}`);
const nameOf = (host: string): string => `tcp ${host}:80`;
const textOf = (servers: (host: string) => readonly number[]): string =>
  hosts.map((host) => virtualServer(`${host} 80`, servers(host))).join("");

/** As it is read: what stands there as before is the same object. */
function sharing(before: Config, after: Config): Config {
  const known = new Map(before.virtualServers.map((each) => [JSON.stringify(each), each]));
  return { ...after, virtualServers: after.virtualServers.map((each) => known.get(JSON.stringify(each)) ?? each) };
}

const started = (config: Config, names: readonly string[]): Wish => {
  const wish = new Wish();
  wish.configure(config);
  wish.setPools(names.map((name) => pool(name, { 1: 1, 2: 1 })));
  return wish;
};

test("with one server more, one service is touched; with a virtual server less, its own", () => {
  const [one = "", other = ""] = hosts.slice(300);
  const config = configOf(textOf(() => [1, 2]));
  const more = sharing(config, configOf(textOf((host) => (host === one ? [1, 2, 3] : [1, 2]))));
  const wish = started(config, []);
  expect(wish.configure(more)).toEqual([nameOf(one)]);
  expect(wish.configure(more)).toEqual([]);
  const fewer = {
    ...more,
    virtualServers: more.virtualServers.filter(({ id }) => !JSON.stringify(id).includes(other)),
  };
  expect(wish.configure(fewer)).toEqual([nameOf(other)]);
  expect(wish.configure(more)).toEqual([nameOf(other)]);
});

test("a service that two have in common is as the first of them says, also when they change places", () => {
  const group = "virtual_server_group g {\n192.0.2.1 80\n}\n";
  const single = virtualServer("192.0.2.1 80", [1], "lb_algo wrr");
  const inGroup = virtualServer("group g", [2]);
  const first = configOf(group + single + inGroup);
  const wish = started(first, first.virtualServers.map(virtualServerName));
  const scheduler = () => wish.services.get("tcp 192.0.2.1:80")?.scheduler;
  const before = scheduler();
  wish.configure(sharing(first, configOf(group + inGroup + single)));
  expect([before, scheduler()]).toEqual(["wrr", "rr"]);
});
