import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** The key of nobody but these tests: the name ends in `.invalid`, which no name server has. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUrQZIuSGhbQSK6wa
13QEn7WmkUioVI+psNPZShj86NqhRANCAARyJGzYif4FqPh6Dkk07rJqWSSrIDGG
HLsaoFyNTrdTyQhGR9RqYVQOAYRYAJQ3a97EtSeEShUJ5TEeKXIfVyQN
-----END PRIVATE KEY-----
`;

/** Of `pictures.invalid`, signed by itself, until 2120. Trusted where NODE_EXTRA_CA_CERTS names a file of it. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBVTCB/aADAgECAgEBMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMMEHBpY3R1cmVz
LmludmFsaWQwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBsxGTAX
BgNVBAMMEHBpY3R1cmVzLmludmFsaWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARyJGzYif4FqPh6Dkk07rJqWSSrIDGGHLsaoFyNTrdTyQhGR9RqYVQOAYRYAJQ3
a97EtSeEShUJ5TEeKXIfVyQNozAwLjAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQU
MBKCEHBpY3R1cmVzLmludmFsaWQwCgYIKoZIzj0EAwIDRwAwRAIgR4724S+Sa+yI
IFRS8aEjE84t2p72d7pCdysp/2+AZL8CIElvLQ60Y/0xTb6wDVXbzPrfTHiu2dcP
whZItKk9rrta
-----END CERTIFICATE-----
`;

/** An HTTPS server on the loopback that goes with the test. Resolves to its port. */
export async function serveTls(t: TestContext, answer: RequestListener): Promise<number> {
  const server = createServer({ key, cert: certificate }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
