/* What all sections use: elements, formats, charts. The files of the report share one function's scope (report.html).
   Every number in #data was computed by coterie; the page only formats and draws. Strings of the shop go into the page
   as text nodes, never as HTML. */
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);

/* ---- elements ---- */

/* el('p', {class: 'x', style: {'--v': 1}}, 'text', node, ...): attributes by name; null children are left out. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'style') for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
    else if (name === 'onclick') node.addEventListener('click', value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== '') node.append(child);
}

function put(id, ...children) {
  $(id).replaceChildren();
  append($(id), children);
}

const swatch = (color) => el('span', {class: 'swatch', style: {'--color': color}, 'aria-hidden': 'true'});
const hint = (...text) => el('span', {class: 'hint'}, ...text);

/* rows: arrays of cells; a cell is text, a node or {text, class, style, title}. The first cell of a row is its header. */
function table({label, head, rows, className, textColumns = []}) {
  const cell = (tag, value, i, scope) => {
    const spec = value !== null && typeof value === 'object' && !(value instanceof Node) ? value : {text: value};
    const classes = [spec.class, textColumns.includes(i) ? 'text' : ''].filter(Boolean).join(' ');
    return el(tag, {class: classes || null, style: spec.style, title: spec.title, scope}, spec.text ?? '–');
  };
  return el('table', {class: className, 'aria-label': label},
    el('thead', null, el('tr', null, head.map((value, i) => cell('th', value, i, 'col')))),
    el('tbody', null, rows.map((row) => el('tr', null, row.map((value, i) =>
      i === 0 ? cell('th', value, i, 'row') : cell('td', value, i))))));
}

/* A table that scrolls by itself where it is wider than the page. */
function scrolling(label, options) {
  return el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label}, table({label, ...options}));
}

/* A panel with a table; the caption stands outside of what scrolls. */
function tablePanel(label, caption, options) {
  return el('div', {class: 'panel'}, el('h3', null, label), caption ? el('p', {class: 'hint'}, caption) : null,
    scrolling(label, options));
}

/* The numbers of a chart as a table that opens: for screen readers, and for those who copy. */
function numbersBelow(options, title = 'The numbers as a table') {
  return el('details', null, el('summary', null, title), scrolling(title, options));
}

/* ---- formats ---- */

const known = (value) => typeof value === 'number' && Number.isFinite(value);

function numberFormat(options) {
  const format = new Intl.NumberFormat('en', options);
  return (value) => known(value) ? format.format(value).replace('-', '−') : '–';
}

function currencyFormat(options) {
  if (!data.currency) return numberFormat(options); /* a shop without money */
  try {
    return numberFormat({style: 'currency', currency: data.currency, currencyDisplay: 'narrowSymbol', ...options});
  } catch {
    return numberFormat(options); /* a currency that the browser refuses */
  }
}

const fmt = {
  count: numberFormat({maximumFractionDigits: 0}),
  compact: numberFormat({notation: 'compact', maximumFractionDigits: 1}),
  number: numberFormat({maximumSignificantDigits: 3}),
  fixed1: numberFormat({minimumFractionDigits: 1, maximumFractionDigits: 1}),
  fixed2: numberFormat({minimumFractionDigits: 2, maximumFractionDigits: 2}),
  signed: numberFormat({minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero'}),
  money: currencyFormat({}),
  moneyWhole: currencyFormat({maximumFractionDigits: 0, minimumFractionDigits: 0}),
  moneyCompact: currencyFormat({notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: 1}),
  moneyCompact2: currencyFormat({notation: 'compact', minimumFractionDigits: 2, maximumFractionDigits: 2}),
  percent: numberFormat({style: 'percent', maximumFractionDigits: 0}),
  percent1: numberFormat({style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1}),
};
fmt.moneyShort = (value) => Math.abs(value) >= 1e6 ? fmt.moneyCompact2(value) : fmt.amount(value);
fmt.share = (value) => known(value) && value > 0 && value < 0.1 ? fmt.percent1(value) : fmt.percent(value);
fmt.amount = (value) => Math.abs(value) >= 1000 ? fmt.moneyWhole(value) : fmt.money(value);

/* A moment is shown as the shop's day; a day ("2017-01-02") is that day wherever the shop is. */
function dateFormat(options) {
  const day = new Intl.DateTimeFormat('en-GB', {timeZone: 'UTC', ...options});
  let moment;
  try {
    moment = new Intl.DateTimeFormat('en-GB', {timeZone: data.time_zone || 'UTC', ...options});
  } catch {
    moment = day;
  }
  return (text) => {
    const date = new Date(text);
    return text && !Number.isNaN(date.getTime()) ? (text.length === '2017-01-02'.length ? day : moment).format(date) : '–';
  };
}
fmt.date = dateFormat({day: 'numeric', month: 'long', year: 'numeric'});
fmt.dateShort = dateFormat({day: 'numeric', month: 'short', year: 'numeric'});
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
fmt.month = (text) => `${monthNames[Number(text.slice(5, 7)) - 1]} ${text.slice(0, 4)}`; /* "2010-12" */

/* A feature's value in its unit. */
function withUnit(value, unit) {
  if (typeof value === 'string') return value;
  if (!known(value)) return '–';
  if (unit === 'money') return fmt.amount(value);
  if (unit === 'share') return fmt.percent(value);
  if (unit === 'days') return `${fmt.count(value)} ${Math.round(value) === 1 ? 'day' : 'days'}`;
  return fmt.number(value);
}

function plural(n, one, many = `${one}s`) {
  return `${fmt.count(n)} ${n === 1 ? one : many}`;
}

function words(name) {
  const text = String(name).replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/* ---- charts: each is a function of the theme, drawn again when the scheme or the width changes ---- */

const drawings = [];
const dark = matchMedia('screen and (prefers-color-scheme: dark)');

function theme() {
  const style = getComputedStyle(document.documentElement);
  const keep = parseFloat(style.getPropertyValue('--keep')) / 100;
  /* A segment's colour ("#rrggbb") as the style sheet shows it. */
  const segmentColor = (color) => /^#[0-9a-f]{6}$/i.test(color || '') ?
    `rgb(${[1, 3, 5].map((i) => Math.round(keep * parseInt(color.slice(i, i + 2), 16) + (1 - keep) * 255)).join(',')})` : '#888';
  const names = ['paper', 'surface', 'sunken', 'ink', 'muted', 'line', 'accent', 'above', 'below', 'fill', 'second'];
  return {...Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])), segmentColor};
}

/* option: (theme, width) -> ECharts option. label: what the chart shows, for those who can't see it. */
function chart(id, label, option, renderer = 'svg') {
  const node = $(id);
  node.setAttribute('role', 'img');
  node.setAttribute('aria-label', label);
  let instance = null;
  let drawnWidth = 0;
  const draw = () => {
    const t = theme();
    drawnWidth = node.clientWidth;
    if (instance) instance.dispose();
    instance = echarts.init(node, null, {renderer});
    instance.setOption({
      animation: false, aria: {enabled: false},
      textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: t.ink},
      ...option(t, node.clientWidth),
    });
  };
  drawings.push(draw);
  draw();
  new ResizeObserver(() => { if (node.clientWidth !== drawnWidth) draw(); }).observe(node);
  return {get instance() { return instance; }};
}

function redraw() {
  for (const draw of drawings) draw();
}
dark.addEventListener('change', redraw);
addEventListener('beforeprint', redraw);
addEventListener('afterprint', redraw);

function axis(t, extra) {
  return {
    axisLine: {lineStyle: {color: t.line}}, axisTick: {show: false}, splitLine: {lineStyle: {color: t.line}},
    axisLabel: {color: t.muted, fontSize: 12, hideOverlap: true, ...(extra && extra.axisLabel)},
    nameTextStyle: {color: t.muted, fontSize: 12},
    ...Object.fromEntries(Object.entries(extra || {}).filter(([key]) => key !== 'axisLabel')),
  };
}

function tooltip(t, formatter, extra) {
  return {backgroundColor: t.surface, borderColor: t.line, textStyle: {color: t.ink, fontSize: 13}, confine: true,
    extraCssText: 'box-shadow:0 4px 16px rgb(0 0 0/14%);border-radius:8px;max-width:18rem;white-space:normal', formatter, ...extra};
}

/* Tooltips are elements, not HTML: rows of [name, value]. */
function tip(title, rows, color) {
  return el('div', null, el('div', {class: 'tooltip-title'}, color ? swatch(color) : null, title),
    rows.map(([name, value]) => el('div', {class: 'tooltip-row'}, el('span', null, name), el('span', null, value))));
}
