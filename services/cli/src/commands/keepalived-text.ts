// What tools read of `keepalived --version` and `--help`.

import { batonVersion } from "@baton/host/configuration";
import { keepalivedOptions } from "../arguments/keepalived-options.ts";

/** Whose language and files are ours. */
const keepalivedVersion = "2.4.3";

/** Exporters take the version from the second word of the first line, and look for what it was configured with. */
export const versionText = (): string =>
  [
    `Keepalived v${keepalivedVersion} as understood by Baton ${batonVersion}`,
    "",
    "configure options: --enable-json --enable-bfd --enable-regex",
    "",
  ].join("\n");

export const keepalivedHelp = (): string =>
  [
    "baton keepalived [options]: keepalived's command line; also under the name keepalived",
    "",
    ...keepalivedOptions.map((option) => {
      const short = "short" in option ? `-${option.short}, ` : "    ";
      const value = "value" in option ? (option.value === "optional" ? "[=VALUE]" : "=VALUE") : "";
      const note = option.treatment === "works" ? "" : `  without effect: ${option.treatment.note}`;
      return `  ${short}${`--${option.long}${value}`.padEnd(28)}${note}`.trimEnd();
    }),
    "",
  ].join("\n");
