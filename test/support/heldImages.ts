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
  /** Answers those that begin so, `/held` where nothing is said, and whatever begins so from now on. */
  letGo(start?: string): void;
  /** The URL of a path at a host of its own, where it waits for no other's turn. */
  urlAlone(path: string): Promise<string>;
}

export async function serveHeldImages(t: TestContext): Promise<HeldImages> {
  const asked: string[] = [];
  const held: { path: string; answer: () => void }[] = [];
  const open: string[] = [];
  const isOpen = (path: string) => !path.startsWith('/held') || open.some((start) => path.startsWith(start));
  const serve = () => serveHttp(t, answer);
  function answer({ url: path = '' }: IncomingMessage, response: ServerResponse): void {
    asked.push(path);
    if (isOpen(path)) response.end(owl);
    else held.push({ path, answer: () => response.end(owl) });
  }
  const letGo = (start = '/held') => {
    open.push(start);
    for (const { path, answer } of held.splice(0)) {
      if (isOpen(path)) answer();
      else held.push({ path, answer });
    }
  };
  const urlAlone = async (path: string) => (await serve()) + path;
  return { url: await serve(), asked, letGo, urlAlone };
}

/** `count` paths that begin with `/NAME`. */
export function pathsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/${name}-${i}.jpg`);
}
