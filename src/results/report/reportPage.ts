import { createHash } from 'node:crypto';
import { version } from '../../shared/version.ts';
import { Html, html } from './html.ts';
import { failuresSection, provenanceSection } from './provenance.ts';
import type { Report } from './report.ts';
import { imagesSection, labelsSection, scoresSection, unsureSection } from './reportSections.ts';
import { reportStyle } from './reportStyle.ts';

/** What every report begins with, so that it is known for one. */
export const reportBeginning = '<!doctype html>\n<!-- A report of Clipfleet -->';

/** A report as one HTML file that needs nothing else: no script, and nothing from elsewhere. */
export function reportPage(report: Report): string {
  const { about, totals } = report;
  const sections = [
    { id: 'labels', title: 'Labels', of: labelsSection(report) },
    { id: 'scores', title: 'Scores', of: scoresSection(report) },
    { id: 'unsure', title: 'Least sure', of: unsureSection(report) },
    { id: 'images', title: 'Images by label', of: imagesSection(report) },
    { id: 'failures', title: 'Failures', of: failuresSection(totals) },
    { id: 'run', title: 'The run', of: provenanceSection(about, totals) },
  ];
  const { text } = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="clipfleet ${version}">
<title>${about.run}: a report</title>
<link rel="icon" href="data:,">
${styleElement()}
</head>
<body>
<a class="skip" href="#main">To the report</a>
<header>
<h1>Run <bdi>${about.run}</bdi></h1>
<p>${summary(report)}</p>
<nav aria-label="Parts">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>
</header>
<main id="main">
${sections.map(({ id, title, of }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${of}</section>\n`)}</main>
</body>
</html>
`;
  return `${reportBeginning}\n${text}`;
}

function summary({ totals }: Report): string {
  const failed = [...totals.failures.values()].reduce((sum, { count }) => sum + count, 0);
  const parts = [`${totals.rows} images`, `${totals.rows - failed} classified`, `${failed} failed`];
  return `${parts.join(', ')}.`;
}

/** Nothing is fetched, run or sent, whatever an id or a label says. */
function policy(): string {
  const hash = createHash('sha256').update(reportStyle).digest('base64');
  return `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}

function styleElement(): Html {
  // Its text is ours, and HTML reads no escapes in it.
  return new Html(`<style>${reportStyle}</style>`);
}
