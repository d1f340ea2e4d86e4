/** What a gateway calls an upload: when it expires (epoch ms), its bytes, and 32 random bytes, which nobody guesses. */
const nameForm = /^\d{13}-\d{1,10}-[A-Za-z0-9_-]{43}$/;

/** Below the address of a gateway. */
const path = '/v1/uploads/';

export function isUploadName(name: string): boolean {
  return nameForm.test(name);
}

/** The uri of an upload. @param gateway its address, without a slash at its end */
export function uploadUri(gateway: string, name: string): string {
  return `${gateway}${path}${name}`;
}

/** Whether a uri is that of an upload of the gateway, and of nothing else that it may answer. */
export function isUploadOf(gateway: string, uri: string): boolean {
  const start = gateway + path;
  return uri.startsWith(start) && isUploadName(uri.slice(start.length));
}
