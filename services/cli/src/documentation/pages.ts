// Pages of the manual that are made of the program: by path in the repository.
import { lintPage } from "@baton/keepalived-conf";

export const pages = (): Readonly<Record<string, string>> => ({ "docs/lint.md": lintPage() });
