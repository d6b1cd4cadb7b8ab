// baton.yaml: what is Baton's own. keepalived.conf stays loadable by keepalived.

export interface Settings {
  readonly nats: { readonly url: string } | undefined; // undefined: baton up starts one
  readonly redis: { readonly url: string } | undefined; // undefined: baton up starts one
  readonly otlp: { readonly endpoint: string; readonly protocol: "http/protobuf" | "grpc" } | undefined;
  readonly hub:
    | { readonly url: string; readonly user: string | undefined; readonly password: string | undefined }
    | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly segments: Readonly<Record<string, string>>; // interface -> L2 segment id
}
