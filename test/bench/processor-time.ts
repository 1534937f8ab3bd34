import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Processor seconds that a server has used, by its own account: the whole process, threads and garbage collection included. */
export type ReadProcessorSeconds = () => Promise<number>;

const get = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { agent: false, rejectUnauthorized: false, headers: { connection: 'close' } } as const;
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const sent = send(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end();
  });

export const ofBareServer =
  (url: string): ReadProcessorSeconds =>
  async () => {
    const { user, system } = JSON.parse(await get(url)) as NodeJS.CpuUsage;
    return (user + system) / 1e6;
  };

/** Belay's metrics, by name and labels as they stand in the text. */
export const readSamples = async (metricsUrl: string): Promise<ReadonlyMap<string, number>> => {
  const lines = (await get(metricsUrl)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
};

/** One figure of Belay's own metrics. */
export const readMetric = async (metricsUrl: string, name: string): Promise<number> => {
  const line = (await get(metricsUrl)).split('\n').find((text) => text.startsWith(`${name} `));
  const value = Number(line?.slice(name.length));
  if (line === undefined || Number.isNaN(value)) throw new Error(`Belay's metrics have no ${name}`);
  return value;
};

export const ofBelay =
  (metricsUrl: string): ReadProcessorSeconds =>
  () =>
    readMetric(metricsUrl, 'process_cpu_seconds_total');
