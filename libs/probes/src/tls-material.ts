// The `SSL` block: key material of SSL_GET, read once for all checks.
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { messageOf } from "@baton/domain";
import type { TlsConfig } from "@baton/keepalived-conf";

export type TlsMaterial =
  | { readonly ok: true; readonly context: SecureContext }
  | { readonly ok: false; readonly reason: string };

/** undefined: no material of one's own. A file that cannot be read or is none is the reason. */
export function loadTls(config: TlsConfig | undefined): TlsMaterial {
  try {
    const context = createSecureContext({
      // Whatever the library still speaks: a health check is no place to teach servers.
      minVersion: "TLSv1",
      ...file("ca", config?.ca),
      ...file("cert", config?.certificate),
      ...file("key", config?.key),
      ...(config?.password === undefined ? {} : { passphrase: config.password }),
    });
    return { ok: true, context };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

const file = (name: "ca" | "cert" | "key", path: string | undefined): Record<string, Buffer> =>
  path === undefined ? {} : { [name]: readFileSync(path) };
