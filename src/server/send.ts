import type { ServerResponse } from 'node:http';

/** Sends an answer with its length, so that the connection can be used again. It does without the layers of express' `res.json`. */
export const sendJson = (response: ServerResponse, status: number, value: unknown): void =>
  sendJsonText(response, status, JSON.stringify(value));

/** Sends JSON that is text already. */
export const sendJsonText = (response: ServerResponse, status: number, json: string): void =>
  send(response, status, 'application/json', `${json}\n`);

export const sendText = (response: ServerResponse, status: number, text: string): void =>
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`);

const send = (response: ServerResponse, status: number, contentType: string, text: string): void => {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};
