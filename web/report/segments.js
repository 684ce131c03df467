/* The sections on learned segments: shares, cards, contrasts, map, tree, evidence. */

const cardId = (segment) => `segment-${segment.id}`;

function drawShares(segments) {
  const bar = (title, share) => el('div', {class: 'share-row'}, el('span', null, title),
    el('div', {class: 'stack', role: 'img', 'aria-label': `${title}: ` + segments.map((s) => `${s.name} ${fmt.share(s[share])}`).join(', ')},
      segments.map((s) => el('span', {style: {'--color': s.color, 'flex-grow': Math.max(0, s[share] || 0), 'flex-basis': '0'},
        title: `${s.name}: ${fmt.share(s[share])}`}))));
  put('shares', bar('Customers', 'share'), bar('Revenue', 'revenue_share'), el('div', {class: 'legend'},
    segments.map((s) => el('a', {class: 'chip', href: `#${cardId(s)}`}, swatch(s.color), el('span', {class: 'ellipsis'}, s.name)))));
}

function contrastBars(contrasts) {
  const shown = contrasts.slice(0, 6);
  const most = Math.max(1, ...shown.map((c) => Math.abs(c.difference)));
  return el('div', {class: 'bars', role: 'list'}, shown.map((c) => {
    const size = `${Math.abs(c.difference) / most * 50}%`;
    const title = c.category ? `${c.title}: ${c.category}` : c.title;
    const detail = c.category ? `${fmt.share(c.segment_share)} here, ${fmt.share(c.overall_share)} of all`
      : `${withUnit(c.segment_mean, c.unit)} here, ${withUnit(c.overall_mean, c.unit)} on average of all`;
    return el('div', {class: 'bar', role: 'listitem', title: `${title}: ${detail}`},
      el('span', {class: 'two-lines'}, title),
      el('span', {class: 'track', 'aria-hidden': 'true'}, el('span', {class: c.difference < 0 ? 'neg' : null,
        style: c.difference < 0 ? {right: '50%', width: size} : {left: '50%', width: size}})),
      el('span', {class: 'value'}, fmt.signed(c.difference), el('span', {class: 'visually-hidden'}, ` standard deviations; ${detail}`)));
  }));
}

/* The numbers behind a strategy: title and format. What the card shows elsewhere is left out; a name that is not here is
   shown as it is. */
const strategyNumbers = {
  value_ratio: ['Spend against the average', (v) => `${fmt.fixed1(v)}×`],
  overdue: ['Silence against their usual gap', (v) => `${fmt.fixed1(v)}×`],
  overall_gap: ['Usual gap', (v) => withUnit(v, 'days')],
  recency_days: ['Since the last order', (v) => withUnit(v, 'days')],
  tenure_days: ['Since the first order', (v) => withUnit(v, 'days')],
  orders: ['Orders', fmt.number],
  one_time_share: ['With one order', fmt.share],
  buyer_share: ['Have ordered', fmt.share],
  trend: ['Spend trend (−1 to 1)', fmt.signed],
  revenue_share: null,
};

function strategyNumber([name, value]) {
  const known = strategyNumbers[name];
  if (known === null || (typeof value !== 'number' && typeof value !== 'string')) return null;
  const [title, format] = known || [words(name), fmt.number];
  return el('span', null, `${title} `, el('b', null, typeof value === 'number' ? format(value) : value));
}

const changes = {born: 'new in this run', kept: 'as before', grown: 'grown', shrunk: 'shrunk'};

function card(s) {
  const color = {'--color': s.color};
  const meter = (title, share, note) => el('div', null, el('h4', null, title), el('b', null, fmt.share(share)),
    el('div', {class: 'meter', 'aria-hidden': 'true'}, el('span', {style: {width: `${Math.min(1, Math.max(0, share || 0)) * 100}%`}})),
    hint(note));
  const detail = s.strategy_detail || {};
  const numbers = Object.entries(detail.numbers || {}).map(strategyNumber).filter(Boolean);
  const change = s.change && s.change !== 'born' && known(s.previous_size) ?
    `${changes[s.change]}${s.previous_size === s.size ? '' : `: ${fmt.count(s.previous_size)} before`}` : s.change ? changes[s.change] : null;
  return el('article', {class: 'card', id: cardId(s), style: color, 'aria-labelledby': `${cardId(s)}-name`},
    el('header', null, el('h3', {id: `${cardId(s)}-name`, title: s.name}, s.name), s.strategy ? el('span', {class: 'pill'}, words(s.strategy)) : null),
    el('div', {class: 'pair'}, meter('Customers', s.share, `${fmt.count(s.size)}${change ? ` (${change})` : ''}`),
      meter('Revenue', s.revenue_share, `${fmt.amount(s.revenue)}, ${fmt.amount(s.size ? s.revenue / s.size : NaN)} each`)),
    detail.why || numbers.length ? el('div', null, el('h4', null, 'What to do'), detail.why ? el('p', null, detail.why) : null,
      numbers.length ? el('p', {class: 'numbers'}, numbers) : null) : null,
    s.rule ? el('div', null, el('h4', null, 'Rule'), el('p', {class: 'rule'}, s.rule),
      el('p', {class: 'hint'}, `Finds ${fmt.share(s.coverage)} of the segment; ${fmt.share(s.precision)} of those it finds belong to it.`)) : null,
    s.contrasts && s.contrasts.length ? el('div', null, el('h4', null, 'Differs from all customers in', el('span', {class: 'unit'}, ' (standard deviations)')), contrastBars(s.contrasts)) : null,
    el('p', {class: 'hint'}, stabilityText(s), s.prototypes && s.prototypes.length ?
      [' Most typical: ', s.prototypes.slice(0, 3).map((p, i) => [i ? ', ' : '', el('code', null, p.customer_id)]), '.'] : null));
}

function stabilityText(s) {
  if (!known(s.stability)) return s.kind === 'extreme' ? 'Set apart by a limit, so that they do not bend the other segments.' : null;
  const word = s.stability >= 0.85 ? 'very stable' : s.stability >= 0.7 ? 'stable' : s.stability >= 0.5 ? 'fairly stable' : 'unstable';
  return `Stability ${fmt.fixed2(s.stability)} (${word}): overlap with itself when learned again from resampled customers.`;
}

function drawSegments(doc) {
  if (!doc) {
    put('segments-lead', 'No segments have been learned from this shop yet. ', el('code', null, 'coterie segment'),
      ' learns them; this report then shows them.');
    for (const id of ['shares', 'cards', 'contrasts', 'map', 'tree', 'evidence']) $(id).remove();
    return;
  }
  const left = doc.excluded || {};
  const without = (left.no_analytics_consent || 0) + (left.no_data || 0);
  $('segments-lead').textContent = `Learned from what customers do, in run ${doc.run} of ${fmt.date(doc.created_at)}, as of ${fmt.date(doc.as_of)}. ` +
    (without ? `${plural(without, 'customer')} without a learned segment: ${fmt.count(left.no_analytics_consent || 0)} without consent to analytics, ` +
      `${fmt.count(left.no_data || 0)} without data.` : 'Every customer is in exactly one.');
  drawShares(doc.segments);
  put('cards', doc.segments.map(card));
  drawHeatmap(doc);
  drawMap(doc);
  drawTree(doc);
  drawEvidence(doc.evidence);
}

const segmentHead = (s) => el('span', {class: 'heat-name', title: s.name}, swatch(s.color), ` ${s.name}`);

function drawHeatmap(doc) {
  const byId = new Map(((doc.heatmap && doc.heatmap.rows) || []).map((row) => [row.id, row.values]));
  const segments = doc.segments.filter((s) => byId.has(s.id));
  if (!segments.length) return $('contrasts').remove();
  const reach = 2;
  put('heatmap', table({
    className: 'heat', head: ['Feature', ...segments.map(segmentHead)],
    rows: doc.heatmap.features.map((feature, i) => [feature.title, ...segments.map((s) => {
      const value = byId.get(s.id)[i];
      if (!known(value)) return '';
      return {text: fmt.signed(value), class: value < 0 ? 'below' : 'above', style: {'--v': Math.min(1, Math.abs(value) / reach)}};
    })]),
  }));
}

/* Lowest and highest of a coordinate without the thinnest tails, so that a few extremes do not squeeze the rest. */
function frame(values) {
  const sorted = values.slice().sort((a, b) => a - b);
  const at = (p) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];
  const span = at(0.99) - at(0.01) || 1;
  const low = Math.max(sorted[0], at(0.01) - 0.35 * span);
  const high = Math.min(sorted[sorted.length - 1], at(0.99) + 0.35 * span);
  return [low - 0.03 * span, high + 0.03 * span];
}

function drawMap(doc) {
  const map = data.map;
  if (!map || !map.points.length) return $('map').remove();
  const [x0, x1] = frame(map.points.map((p) => p[0]));
  const [y0, y1] = frame(map.points.map((p) => p[1]));
  const inside = (v, low, high) => Math.min(high, Math.max(low, v));
  const clipped = map.points.filter((p) => p[0] < x0 || p[0] > x1 || p[1] < y0 || p[1] > y1).length;
  const series = doc.segments.map((s) => ({segment: s, points: map.points.filter((p) => p[2] === s.id)})).filter((s) => s.points.length);
  const hidden = new Set();
  $('map-lead').textContent = (map.points.length < doc.customers ?
    `Each dot is a customer, ${fmt.count(map.points.length)} of ${fmt.count(doc.customers)} drawn at random; ` : 'Each dot is a customer; ') +
    'those who behave alike lie close together.' + (clipped ? ` ${plural(clipped, 'far one')} drawn on the edge.` : '');
  const drawn = chart('map-chart', `Scatter plot of ${fmt.count(map.points.length)} customers in two dimensions, coloured by segment`, (t) => ({
    grid: {left: 4, right: 4, top: 8, bottom: 4},
    tooltip: tooltip(t, (point) => {
      const {segment, points} = series[point.seriesIndex];
      return tip(segment.name, map.features.map((f, i) => [f.title, withUnit(points[point.dataIndex][3 + i], f.unit)]), segment.color);
    }),
    xAxis: {type: 'value', min: x0, max: x1, show: false}, yAxis: {type: 'value', min: y0, max: y1, show: false},
    series: series.map(({segment, points}) => ({
      name: String(segment.id), type: 'scatter', symbolSize: 6,
      itemStyle: {color: t.segmentColor(segment.color), opacity: 0.72, borderColor: t.surface, borderWidth: 0.4},
      emphasis: {itemStyle: {opacity: 1, borderColor: t.ink, borderWidth: 1.5}},
      data: hidden.has(segment.id) ? [] : points.map((p) => [inside(p[0], x0, x1), inside(p[1], y0, y1)]),
    })),
  }), 'canvas');
  put('map-legend', series.map(({segment, points}, i) => {
    const button = el('button', {class: 'chip', type: 'button', 'aria-pressed': 'true', onclick: () => {
      const show = hidden.has(segment.id);
      if (show) hidden.delete(segment.id); else hidden.add(segment.id);
      button.setAttribute('aria-pressed', String(show));
      drawn.instance.setOption({series: series.map((s, j) => j !== i ? {} :
        {data: show ? points.map((p) => [inside(p[0], x0, x1), inside(p[1], y0, y1)]) : []})});
    }}, swatch(segment.color), el('span', {class: 'ellipsis'}, segment.name));
    return button;
  }));
  const direction = (axisText, from, to) => axisText && `${from} to ${to} (${fmt.share(axisText.share)} of the differences): ` +
    `from ${axisText.low} to ${axisText.high}.`;
  const axes = map.axes || [];
  put('map-axes', [direction(axes[0], 'Left', 'right'), direction(axes[1], 'Bottom', 'top')].filter(Boolean).map((text) => el('p', null, text)));
}

/* ---- tree ---- */

/* Nodes with their place: x from the height of the join, y from the order of the leaves. What lies inside an operating
   segment is drawn too, thinner, three levels deep. */
function layTree(root) {
  const rows = {y: 0};
  const placed = [];
  const place = (node, parent, inside) => {
    const item = {node, parent, inside, children: []};
    placed.push(item);
    const operating = node.segment !== undefined && node.segment !== null;
    const depth = operating ? 1 : inside ? inside + 1 : 0;
    const children = depth >= 3 ? [] : node.children || [];
    const before = rows.y;
    item.children = children.map((child) => place(child, item, depth));
    if (item.children.length) {
      item.y = (item.children[0].y + item.children[item.children.length - 1].y) / 2;
    } else {
      item.y = rows.y + (inside ? 5 : 22);
      rows.y += inside ? 10 : 44;
    }
    if (operating && rows.y - before < 44) { /* room for the name of a segment with few branches inside */
      const extra = 44 - (rows.y - before);
      const shift = (i) => { i.y += extra / 2; i.children.forEach(shift); };
      shift(item);
      rows.y += extra;
    }
    return item;
  };
  place(root, null, 0);
  return {placed, height: rows.y};
}

function drawTree(doc) {
  const operating = (item) => item.node.segment !== undefined && item.node.segment !== null;
  if (!doc.tree || !(doc.tree.children || []).length) return $('tree').remove();
  const colors = new Map(doc.segments.map((s) => [s.id, s.color]));
  const {placed, height} = layTree(doc.tree);
  /* Ward heights are sums of squares. A join without a height (of extremes, set apart by a limit) lies beyond its parts. */
  const scale = (item) => known(item.node.height) ? Math.sqrt(Math.max(0, item.node.height)) :
    Math.max(0, ...item.children.map((child) => 1.1 * scale(child)));
  const most = Math.max(...placed.map(scale)) || 1;
  const inner = placed.filter(operating).map(scale);
  const above = placed.filter(operating).map((item) => (item.parent ? scale(item.parent) : most));
  const low = Math.max(...inner), high = Math.min(...above);
  const cut = low < high ? (low + high) / 2 : null;
  const svgNode = (tag, attributes) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const box = el('div', {class: 'tree'});
  put('dendrogram', box, cut === null ? el('p', {class: 'hint'}, 'No single height separates these segments, so no cut is drawn.') : null);
  const draw = () => {
    const t = theme();
    const colorOf = (item) => { /* of the operating segment that it is or belongs to */
      for (let i = item; i; i = i.parent) if (operating(i)) return t.segmentColor(colors.get(i.node.segment) || i.node.color);
      return t.muted;
    };
    const w = box.clientWidth;
    const treeWidth = Math.max(110, Math.min(w * 0.68, w - 170));
    const x = (item) => 6 + (1 - scale(item) / most) * (treeWidth - 16);
    const svg = svgNode('svg', {width: treeWidth, height, role: 'img', 'aria-label': `Dendrogram of ${doc.segments.length} segments`});
    for (const item of placed) {
      if (!item.children.length && !operating(item)) continue;
      const color = colorOf(item);
      const inside = operating(item) || item.inside > 0;
      for (const child of item.children)
        svg.append(svgNode('path', {d: `M${x(item)},${item.y}V${child.y}H${x(child)}`, fill: 'none', stroke: inside ? color : operating(child) ? colorOf(child) : t.muted,
          'stroke-width': inside ? 1 : 2, opacity: inside ? 0.6 : 1, 'stroke-linejoin': 'round'}));
    }
    if (cut !== null) {
      const at = 6 + (1 - cut / most) * (treeWidth - 16);
      svg.append(svgNode('line', {x1: at, x2: at, y1: 0, y2: height, stroke: t.ink, 'stroke-dasharray': '4 4', 'stroke-width': 1.2}));
    }
    const labels = placed.filter(operating).map((item) => {
      svg.append(svgNode('circle', {cx: x(item), cy: item.y, r: 4.5, fill: colorOf(item), stroke: t.surface, 'stroke-width': 1.5}));
      return el('div', {class: 'leaf', style: {top: `${item.y}px`, left: `${treeWidth + 8}px`, width: `${w - treeWidth - 8}px`}},
        el('div', {class: 'ellipsis', title: item.node.name}, swatch(colors.get(item.node.segment) || item.node.color), ` ${item.node.name}`),
        el('span', {class: 'hint ellipsis'}, w < 560 ? plural(item.node.size, 'customer') : `${plural(item.node.size, 'customer')}, ${fmt.share(item.node.revenue_share)} of revenue`));
    });
    box.style.height = `${height}px`;
    box.replaceChildren(svg, ...labels);
  };
  drawings.push(draw);
  draw();
  let drawnWidth = box.clientWidth;
  new ResizeObserver(() => {
    if (box.clientWidth !== drawnWidth) draw();
    drawnWidth = box.clientWidth;
  }).observe(box);
}

/* ---- evidence ---- */

function drawEvidence(evidence) {
  const candidates = (evidence && evidence.candidates) || [];
  if (!candidates.length) return $('evidence').remove();
  $('evidence-lead').textContent = evidence.why || '';
  const measures = [
    ['stability', 'Stability', 'Agreement of runs on resampled customers; 1 is always the same. Higher is better.'],
    ['silhouette', 'Silhouette', 'How much nearer customers are to their own segment than to the next. Higher is better.'],
    ['bic', 'BIC', 'Fit against the number of parameters. Lower is better.'],
  ].filter(([key]) => candidates.some((c) => known(c[key])));
  put('evidence-charts', measures.map(([key, title, text]) => el('figure', {class: 'panel'},
    el('figcaption', null, el('h3', null, title), el('p', {class: 'hint'}, text)), el('div', {class: 'chart', id: `evidence-${key}`}))));
  for (const [key, title] of measures) {
    const format = key === 'bic' ? fmt.compact : fmt.fixed2;
    chart(`evidence-${key}`, `${title} for ${candidates[0].k} to ${candidates[candidates.length - 1].k} segments`, (t) => ({
      grid: {left: 4, right: 12, top: 14, bottom: 8, containLabel: true},
      tooltip: tooltip(t, (points) => {
        const c = candidates[points[0].dataIndex];
        return tip(`${c.k} segments${c.chosen ? ' (chosen)' : ''}`, [[title, format(c[key]) +
          (key === 'stability' && known(c.stability_error) ? ` ± ${fmt.fixed2(c.stability_error)}` : '')]]);
      }, {trigger: 'axis'}),
      xAxis: axis(t, {type: 'category', data: candidates.map((c) => String(c.k)), splitLine: {show: false}}),
      yAxis: axis(t, {type: 'value', scale: true, splitNumber: 3, axisLabel: {formatter: format}}),
      series: [{type: 'line', lineStyle: {color: t.muted, width: 1.5}, symbol: 'circle',
        data: candidates.map((c) => ({value: known(c[key]) ? c[key] : null, symbolSize: c.chosen ? 13 : 6,
          itemStyle: {color: c.chosen ? t.accent : t.muted}})),
        markLine: {symbol: 'none', silent: true, label: {show: false}, lineStyle: {color: t.accent, type: 'dashed'},
          data: candidates.map((c, i) => c.chosen ? {xAxis: i} : null).filter(Boolean)}}],
    }));
  }
  put('evidence-table', numbersBelow({
    head: ['Segments', 'Stability', '±', 'Silhouette', 'BIC', 'Score', ''], textColumns: [6],
    rows: candidates.map((c) => [String(c.k), fmt.fixed2(c.stability), fmt.fixed2(c.stability_error), fmt.fixed2(c.silhouette),
      fmt.count(c.bic), fmt.fixed2(c.score), c.chosen ? 'chosen' : '']),
  }));
}
