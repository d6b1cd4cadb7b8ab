// Starts the node's own brokers on behalf of the supervisor, and keeps credentials.json in step with where they are.
import { type NodeCredentials, paths, type Settings } from "@baton/host";
import {
  type BrokerFiles,
  configureNats,
  configureRedis,
  externalNats,
  findPort,
  makeNatsPasswords,
  makeRedisPassword,
  openLog,
} from "./brokers.ts";
import { type Launch, launchBroker } from "./children.ts";
import { runFiles, writePrivateFile } from "./run-directory.ts";

export interface BrokerOptions {
  readonly node: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Makes the stream of a server that has just been started; rejects when the server does not answer. */
  prepare(admin: { url: string; user: string; password: string }): Promise<void>;
  onProblem(message: string, error: unknown): void;
}

export interface Brokers {
  /** Undefined where the settings name a server of somebody else's. */
  readonly nats: Launch | undefined;
  readonly redis: Launch | undefined;
}

const againMs = 5_000;

/** Writes the first credentials.json. Rejects where there is no loopback. */
export async function openBrokers(options: BrokerOptions): Promise<Brokers> {
  const { settings, runDir } = options;
  const nats = settings.nats === undefined ? await ownNats(options) : namedNats(settings.nats.url, options);
  const redis = settings.redis === undefined ? await ownRedis(options) : namedRedis(settings.redis.url);
  const publish = (): void => {
    const credentials: NodeCredentials = { nats: nats.credentials(), redis: redis.credentials() };
    writePrivateFile(paths.credentials(runDir), `${JSON.stringify(credentials)}\n`);
  };
  publish();
  const publishing =
    (launch: (publish: () => void) => Launch): Launch =>
    (restarts, listener) =>
      launch(publish)(restarts, listener);
  return {
    nats: nats.launch === undefined ? undefined : publishing(nats.launch),
    redis: redis.launch === undefined ? undefined : publishing(redis.launch),
  };
}

interface Broker<Credentials> {
  credentials(): Credentials;
  /** `publish`: the credentials have changed. */
  readonly launch: ((publish: () => void) => Launch) | undefined;
}

const filesOf = ({ node, stateDir }: BrokerOptions, configFile: string): BrokerFiles => ({
  node,
  stateDir,
  configFile,
});

async function ownNats(options: BrokerOptions): Promise<Broker<NodeCredentials["nats"]>> {
  const files = filesOf(options, runFiles.natsConfig(options.runDir));
  const passwords = makeNatsPasswords();
  let broker = configureNats(files, await findPort(undefined), passwords);
  return {
    credentials: () => broker.credentials,
    launch: (publish) => async (_restarts, listener) => {
      const wanted = portOf(broker.credentials.url);
      const port = await findPort(wanted);
      broker = configureNats(files, port, passwords);
      if (port !== wanted) publish();
      const life = new AbortController();
      const child = await launchBroker(
        { argv: broker.argv, log: openLog(broker.logFile), env: options.env },
        {
          ...listener,
          exited(exit) {
            life.abort();
            listener.exited(exit);
          },
        },
      );
      void prepareUntil(options, broker.admin, life.signal);
      return child;
    },
  };
}

async function ownRedis(options: BrokerOptions): Promise<Broker<NodeCredentials["redis"]>> {
  const files = filesOf(options, runFiles.redisConfig(options.runDir));
  const secret = makeRedisPassword();
  let broker = configureRedis(files, await findPort(undefined), secret);
  return {
    credentials: () => broker.credentials,
    launch: (publish) => async (_restarts, listener) => {
      const wanted = portOf(broker.credentials.url);
      const port = await findPort(wanted);
      broker = configureRedis(files, port, secret);
      if (port !== wanted) publish();
      return launchBroker({ argv: broker.argv, log: openLog(broker.logFile), env: options.env }, listener);
    },
  };
}

function namedNats(url: string, options: BrokerOptions): Broker<NodeCredentials["nats"]> {
  const { admin, credentials } = externalNats(url);
  void prepareUntil(options, admin, undefined);
  return { credentials: () => credentials, launch: undefined };
}

const namedRedis = (url: string): Broker<NodeCredentials["redis"]> => ({
  credentials: () => ({ url }),
  launch: undefined,
});

const portOf = (url: string): number => Number(new URL(url).port);

/** The node works without its bus: whatever goes wrong is tried again, for as long as the server lives. */
async function prepareUntil(
  options: BrokerOptions,
  admin: Parameters<BrokerOptions["prepare"]>[0],
  ended: AbortSignal | undefined,
): Promise<void> {
  const isOver = (): boolean => ended?.aborted === true;
  while (!isOver()) {
    try {
      return await options.prepare(admin);
    } catch (error) {
      if (isOver()) return;
      options.onProblem("the event stream could not be made; trying again", error);
      await new Promise((resolve) => setTimeout(resolve, againMs).unref());
    }
  }
}
