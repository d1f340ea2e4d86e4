import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { serveHttp } from './imageServer.ts';
import { owl } from './politeFleet.ts';

/** A server of images that answers some only when the test says so. */
export interface HeldImages {
  /** Of paths that begin with `/held`, requests are not answered until `letGo`; all others are at once. */
  url: string;
  /** Paths that were asked for, in their order. */
  asked: string[];
  letGo(): void;
  /** The URL of a path at a host of its own, where it waits for no other's turn. */
  urlAlone(path: string): Promise<string>;
}

export async function serveHeldImages(t: TestContext): Promise<HeldImages> {
  const asked: string[] = [];
  const held: (() => void)[] = [];
  let isOpen = false;
  const serve = () => serveHttp(t, answer);
  function answer({ url: path = '' }: IncomingMessage, response: ServerResponse): void {
    asked.push(path);
    if (isOpen || !path.startsWith('/held')) response.end(owl);
    else held.push(() => response.end(owl));
  }
  const letGo = () => {
    isOpen = true;
    for (const answer of held.splice(0)) answer();
  };
  const urlAlone = async (path: string) => (await serve()) + path;
  return { url: await serve(), asked, letGo, urlAlone };
}

/** `count` paths that begin with `/NAME`. */
export function pathsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/${name}-${i}.jpg`);
}
