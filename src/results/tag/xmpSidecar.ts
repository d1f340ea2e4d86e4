import { DOMParser, type Document, type Element, XMLSerializer } from '@xmldom/xmldom';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const OURS = 'urn:clipfleet:xmp:1.0#';

/** The lists of keywords that programs for photos read, and how a label of several levels stands in each. */
const lists = [
  {
    ns: 'http://purl.org/dc/elements/1.1/',
    name: 'dc:subject',
    kind: 'Bag',
    item: (path: string[]) => path.join('/'),
  },
  {
    ns: 'http://ns.adobe.com/lightroom/1.0/',
    name: 'lr:hierarchicalSubject',
    kind: 'Bag',
    item: (path: string[]) => path.map((of) => of.replaceAll('|', '¦')).join('|'),
  },
  {
    ns: 'http://www.digikam.org/ns/1.0/',
    name: 'digiKam:TagsList',
    kind: 'Seq',
    item: (path: string[]) => path.join('/'),
  },
] as const;

/** What was written here before: a keyword of it that is no longer in its list was taken out by somebody, and stays out. */
const written = {
  ns: OURS,
  name: 'clipfleet:Written',
  kind: 'Bag',
  item: (path: string[]) => path.join('/'),
} as const;

type List = (typeof lists)[number] | typeof written;

const EMPTY = `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;

/** Characters that XML 1.0 does not have (section 2.2). */
const noXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** Labels that can stand in XML. */
export function isXmpLabel(label: string): boolean {
  return !noXml.test(label);
}

/**
 * An XMP sidecar with labels among its keywords; all else in it stays. The text itself where it has them all. A label of several levels,
 * `animal/bird`, is nested where a list knows levels.
 *
 * @param text undefined for a new sidecar
 * @returns the text and the labels that are new in it; undefined for a text that is no XMP
 */
export function withKeywords(
  text: string | undefined,
  labels: readonly string[],
): { text: string; added: string[] } | undefined {
  const document = parsed(text ?? EMPTY);
  const rdf = document && rdfOf(document);
  if (!rdf) return undefined;
  // What somebody has given the picture already is theirs, in whichever lists they have it.
  const before = new Set([...itemsOf(rdf, written), ...itemsOf(rdf, lists[0])]);
  const added = labels.filter((label) => !before.has(label));
  for (const label of added)
    for (const list of [...lists, written]) {
      const item = list.item(label.split('/'));
      if (!itemsOf(rdf, list).includes(item)) append(rdf, list, item);
    }
  return { text: added.length > 0 ? serialized(document, text) : (text ?? EMPTY), added };
}

/** An XMP sidecar without these labels; undefined for a text that is no XMP. */
export function withoutKeywords(text: string, labels: readonly string[]): string | undefined {
  const document = parsed(text);
  const rdf = document && rdfOf(document);
  if (!rdf) return undefined;
  for (const list of [...lists, written]) {
    const gone = new Set(labels.map((label) => list.item(label.split('/'))));
    for (const property of propertiesOf(rdf, list))
      for (const item of [...property.getElementsByTagNameNS(RDF, 'li')])
        if (gone.has(item.textContent ?? '')) item.parentNode?.removeChild(item);
  }
  return serialized(document, text);
}

function parsed(text: string): Document | undefined {
  try {
    return new DOMParser({ onError: stopAtErrors }).parseFromString(text.replace(/^\uFEFF/, ''), 'text/xml');
  } catch {
    return undefined;
  }
}

function stopAtErrors(level: string, message: string): void {
  if (level !== 'warning') throw new Error(message);
}

function serialized(document: Document, before = ''): string {
  const text = new XMLSerializer().serializeToString(document);
  return before.startsWith('\uFEFF') ? `\uFEFF${text}` : text;
}

function rdfOf(document: Document): Element | undefined {
  return document.getElementsByTagNameNS(RDF, 'RDF')[0];
}

/** Properties of what the sidecar is about, not of what is told inside of others. */
function propertiesOf(rdf: Element, { ns, name }: List): Element[] {
  const local = name.slice(name.indexOf(':') + 1);
  return elementsIn(rdf)
    .filter((of) => of.namespaceURI === RDF && of.localName === 'Description')
    .flatMap(elementsIn)
    .filter((of) => of.namespaceURI === ns && of.localName === local);
}

function elementsIn(parent: Element): Element[] {
  return [...parent.childNodes].filter((node): node is Element => node.nodeType === node.ELEMENT_NODE);
}

function itemsOf(rdf: Element, list: List): string[] {
  return propertiesOf(rdf, list).flatMap((property) => {
    const items = [...property.getElementsByTagNameNS(RDF, 'li')];
    return items.length > 0
      ? items.map((item) => item.textContent ?? '')
      : [property.textContent?.trim() ?? ''];
  });
}

function append(rdf: Element, list: List, text: string): void {
  const document = rdf.ownerDocument!;
  const container = containerOf(rdf, list);
  const item = document.createElementNS(RDF, `${rdf.prefix ? `${rdf.prefix}:` : ''}li`);
  item.appendChild(document.createTextNode(text));
  container.appendChild(item);
}

/** The list that items are added to: made where there is none, also around a single keyword that stands without one. */
function containerOf(rdf: Element, list: List): Element {
  const document = rdf.ownerDocument!;
  const prefix = rdf.prefix ? `${rdf.prefix}:` : '';
  const found = propertiesOf(rdf, list)[0];
  const container = found && elementsIn(found).find((of) => ['Bag', 'Seq', 'Alt'].includes(of.localName!));
  if (container) return container;
  const made = document.createElementNS(RDF, `${prefix}${list.kind}`);
  const single = found?.textContent?.trim();
  if (found) for (const node of [...found.childNodes]) found.removeChild(node);
  const property = found ?? document.createElementNS(list.ns, list.name);
  property.appendChild(made);
  if (single) append(rdf, list, single);
  if (found) return made;
  let description = elementsIn(rdf).find((of) => of.namespaceURI === RDF && of.localName === 'Description');
  if (!description) {
    description = document.createElementNS(RDF, `${prefix}Description`);
    description.setAttributeNS(RDF, `${prefix || 'rdf:'}about`, '');
    rdf.appendChild(description);
  }
  description.appendChild(property);
  return made;
}
