/**
 * The text without what the URLs in it may tell beside a place: user and password, and the query, which is where signed
 * URLs have their signature.
 */
export function withoutSecrets(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)([^\s'"<>]*)/gi, (_, scheme: string, rest: string) => {
    // Of what is no URL nobody knows where the password ends: all before the last @ may be it.
    const user = URL.canParse(scheme + rest) && !/^rediss?[+:]/i.test(scheme) ? /^[^/?#]*@/ : /^.*@/;
    const place = rest.replace(user, '***@').replace(/\?[^#.,;)]+[^#]*/, '?***');
    return scheme + place;
  });
}
