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
}

export async function serveHeldImages(t: TestContext): Promise<HeldImages> {
  const asked: string[] = [];
  const held: (() => void)[] = [];
  let isOpen = false;
  const url = await serveHttp(t, ({ url: path = '' }, response) => {
    asked.push(path);
    if (isOpen || !path.startsWith('/held')) response.end(owl);
    else held.push(() => response.end(owl));
  });
  const letGo = () => {
    isOpen = true;
    for (const answer of held.splice(0)) answer();
  };
  return { url, asked, letGo };
}

/** `count` paths that begin with `/NAME`. */
export function pathsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/${name}-${i}.jpg`);
}
