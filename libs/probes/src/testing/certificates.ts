// Certificates that nobody has signed: a good one, one that is over, one for another name.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const certificateNames = ["good", "expired", "another"] as const;
export type CertificateName = (typeof certificateNames)[number];

/** Leaves NAME.key and NAME.pem of each there. `subject`: of those that are for the right name. */
export function makeCertificates(directory: string, subject = "web.example"): void {
  const run = (...words: string[]): void => void execFileSync("openssl", words, { cwd: directory, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const make = (name: CertificateName, of: string): void =>
    run("req", "-x509", ...key, "-days", "2", "-subj", `/CN=${of}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  make("good", subject);
  make("another", `not-${subject}`);
  // `openssl req` knows no certificate that is over when it is made.
  writeFileSync(
    join(directory, "authority.cnf"),
    "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nnew_certs_dir=.\n[p]\ncommonName=supplied\n",
  );
  writeFileSync(join(directory, "index"), "");
  run("req", "-new", ...key, "-subj", `/CN=${subject}`, "-keyout", "expired.key", "-out", "expired.csr");
  const times = ["-startdate", "200101000000Z", "-enddate", "200102000000Z"];
  const what = ["-selfsign", "-keyfile", "expired.key", "-in", "expired.csr", "-notext", "-out", "expired.pem"];
  run("ca", "-batch", "-config", "authority.cnf", ...what, ...times);
}
