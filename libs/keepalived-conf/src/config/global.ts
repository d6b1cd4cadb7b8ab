// `global_defs`.
import type { Micros } from "@baton/domain";
import type { ScriptUser } from "./command.ts";

export interface GlobalConfig {
  /** `router_id`; the host name when absent (filled in by the caller of parse). */
  readonly routerId: string;
  readonly notificationEmail: readonly string[];
  /** `notification_email_from`; keepalived's default is `user@host`. */
  readonly notificationEmailFrom: string | undefined;
  /** `smtp_server HOST [PORT]`; mail is off without it. */
  readonly smtpServer: { readonly host: string; readonly port: number } | undefined;
  readonly smtpHeloName: string | undefined;
  /** `smtp_connect_timeout`, default 30 s. */
  readonly smtpConnectTimeout: Micros;
  readonly enableScriptSecurity: boolean;
  readonly scriptUser: ScriptUser | undefined;
}
