/* The sections on the shop as a whole: headline, RFM, cohorts, concentration, history, demand, quality, sources; and the order
   in which everything is drawn. */

function tiles(items) {
  return items.filter(Boolean).map(([title, figure, note, exact]) =>
    el('dl', {class: 'tile'}, el('dt', null, title), el('dd', {class: 'figure', title: exact || figure}, figure),
      note ? el('dd', {class: 'hint'}, note) : null));
}

function story(h, segments, concentration) {
  const said = [];
  if (segments && segments.segments.length) {
    const first = segments.segments[0];
    said.push(`${plural(segments.segments.length, 'segment')} ${segments.segments.length === 1 ? 'describes' : 'describe'} ` +
      `${plural(segments.segments.reduce((n, s) => n + s.size, 0), 'customer')}. The one with the most revenue, ${first.name}, is ${fmt.share(first.share)} of ` +
      `customers and ${fmt.share(first.revenue_share)} of their revenue.`);
  }
  const top = concentration && concentration.top.find((row) => row.share === 0.1);
  if (top && top.revenue_share > 0 && concentration.customers >= 10) said.push(`The best tenth of buyers brings ${fmt.share(top.revenue_share)} of revenue.`);
  if (known(h.repeat_share)) said.push(`${fmt.share(h.repeat_share)} of buyers came back for another order.`);
  return el('p', null, said.join(' '));
}

function drawHeadline() {
  const h = data.headline;
  $('period').textContent = `As of ${fmt.date(data.as_of)}` +
    (h.from ? ` · orders from ${fmt.date(h.from)} to ${fmt.date(h.to)}` : '') + (data.currency ? ` · ${data.currency}` : '');
  put('notices', data.notices.map((text) => el('p', {class: 'notice'}, text)), qualityNotice());
  put('story', story(h, data.segments, data.concentration));
  const bought = h.orders > 0 ? [
    ['Net revenue', fmt.moneyShort(h.revenue), h.refunds < 0 ? `${fmt.moneyShort(-h.refunds)} refunded` : 'no refunds', fmt.money(h.revenue)],
    ['Average order', fmt.money(h.average_order), 'before refunds'],
    ['Came back', fmt.share(h.repeat_share), `${fmt.count(h.repeat_buyers)} with 2 orders or more`],
  ] : [];
  put('tiles', tiles([
    ['Customers', fmt.count(h.customers), h.buyers === h.customers ? 'all of them ordered' : `${fmt.count(h.buyers)} have ordered`],
    ['Orders', fmt.count(h.orders), known(h.orders_per_buyer) ? `${fmt.fixed1(h.orders_per_buyer)} a buyer` : null],
    ...bought,
    h.unassigned.lines > 0 ? ['Without a customer', fmt.share(h.unassigned.revenue_share), `of revenue, ${fmt.count(h.unassigned.lines)} lines`] : null,
  ]));
  $('definition').textContent = h.orders > 0 ? h.revenue_definition : '';
  drawMonths();
}

function drawMonths() {
  const months = data.months.slice(-60);
  if (months.length < 2) return $('months-chart').closest('figure').remove();
  const partial = months.some((m) => !m.complete);
  $('months-hint').textContent = 'Bars: revenue net of refunds. Line: customers who ordered.' +
    (partial ? ' Pale: the data covers that month in part.' : '') +
    (months.length < data.months.length ? ' The last five years.' : '');
  chart('months-chart', `Net revenue by month from ${fmt.month(months[0].month)} to ${fmt.month(months[months.length - 1].month)}`, (t, w) => ({
    grid: {left: 8, right: 8, top: 34, bottom: 10, containLabel: true},
    legend: {top: 0, left: 0, textStyle: {color: t.muted}, itemWidth: 14, itemHeight: 9, data: ['Net revenue', 'Customers']},
    tooltip: tooltip(t, (points) => {
      const m = months[points[0].dataIndex];
      return tip(fmt.month(m.month) + (m.complete ? '' : ' (in part)'), [['Net revenue', fmt.amount(m.revenue)], ['Orders', fmt.count(m.orders)],
        ['Customers', fmt.count(m.customers)], ['of them new', fmt.count(m.new_customers)]]);
    }, {trigger: 'axis', axisPointer: {type: 'shadow', shadowStyle: {color: 'rgba(128,128,128,.1)'}}}),
    xAxis: axis(t, {type: 'category', data: months.map((m) => fmt.month(m.month)), splitLine: {show: false}}),
    yAxis: [axis(t, {type: 'value', splitNumber: 4, axisLabel: {formatter: fmt.moneyCompact}}),
      axis(t, {type: 'value', splitNumber: 4, splitLine: {show: false}, axisLabel: {formatter: fmt.compact, show: w > 560}})],
    series: [
      {name: 'Net revenue', type: 'bar', barMaxWidth: 44, itemStyle: {color: t.accent, borderRadius: [3, 3, 0, 0]},
        data: months.map((m) => ({value: m.revenue, itemStyle: {opacity: m.complete ? 0.85 : 0.4}}))},
      {name: 'Customers', type: 'line', yAxisIndex: 1, data: months.map((m) => m.customers), symbolSize: 6, symbol: 'circle',
        lineStyle: {color: t.second, width: 2}, itemStyle: {color: t.second}},
    ],
  }));
  $('months-chart').after(numbersBelow({
    head: ['Month', 'Net revenue', 'Orders', 'Customers', 'New customers'],
    rows: months.map((m) => [fmt.month(m.month) + (m.complete ? '' : ' (in part)'), fmt.money(m.revenue), fmt.count(m.orders),
      fmt.count(m.customers), fmt.count(m.new_customers)]),
  }));
}

/* ---- recency, frequency, monetary value ---- */

/* Whole where it fits a narrow cell. */
const cellCount = (n) => (n < 10000 ? fmt.count(n) : fmt.compact(n));

function rfmGrid(rfm) {
  const most = Math.max(1, ...rfm.grid.map((cell) => cell.customers));
  const at = new Map(rfm.grid.map((cell) => [`${cell.recency} ${cell.frequency_monetary}`, cell]));
  const scores = [1, 2, 3, 4, 5];
  return tablePanel('Recency against frequency and spend', 'Customers with each pair of scores. R5: bought last; FM5: buys most often and for most.', {
    className: 'heat grid', head: ['', ...scores.map((r) => `R${r}`)],
    rows: scores.slice().reverse().map((fm) => [`FM${fm}`, ...scores.map((r) => {
      const cell = at.get(`${r} ${fm}`);
      if (!cell || !cell.customers) return '';
      return {text: cellCount(cell.customers), class: 'fill', style: {'--v': Math.sqrt(cell.customers / most)},
        title: `${cell.group}: ${plural(cell.customers, 'customer')}, ${fmt.amount(cell.revenue)}`};
    })]),
  });
}

function rfmGroups(rfm) {
  const most = Math.max(...rfm.groups.map((g) => Math.max(g.share || 0, g.revenue_share || 0)), 0.001);
  const bar = (share) => el('span', {class: 'bar-cell'}, el('span', {class: 'inline-bar', 'aria-hidden': 'true',
    style: {width: `${Math.max(0, share || 0) / most * 3.5}rem`}}), el('span', null, fmt.share(share)));
  return tablePanel('The eleven groups', null, {
    head: ['Group', 'Customers', 'Share', 'Revenue'], textColumns: [2, 3], className: 'groups',
    rows: rfm.groups.map((g) => [{text: g.group, title: g.advice}, fmt.count(g.customers), bar(g.share),
      {text: bar(g.revenue_share), title: fmt.amount(g.revenue)}]),
  });
}

/* Groups that nobody is in are left out. */
function rfmCross(cross, segments) {
  const columns = cross.segments.map((s) => segments.find((t) => t.id === s.id) || s);
  const rows = cross.groups.map((group, i) => ({group, counts: cross.counts[i], total: cross.counts[i].reduce((sum, n) => sum + n, 0)}));
  return tablePanel('Groups and learned segments', 'Customers in both; the tint is the share of the group.', {
    className: 'heat', head: ['Group', ...columns.map(segmentHead)],
    rows: rows.filter((row) => row.total > 0).map(({group, counts, total}) => [group, ...counts.map((n) => (n ?
      {text: cellCount(n), class: 'fill', style: {'--v': n / total}, title: `${fmt.count(n)}, ${fmt.share(n / total)} of ${group}`} : ''))]),
  });
}

/* ---- predictions ---- */

function predictionRuns(runs) {
  return tablePanel('All customers together', 'Each question is answered by whoever was right most often on this shop’s own past.', {
    head: ['Within', 'Spend', 'Days with an order', 'No order at all', 'Spend by', 'Churn by', 'Tested'],
    textColumns: [4, 5, 6],
    rows: runs.map((r) => [`${r.days} days`, fmt.amount(r.spend), fmt.count(Math.round(r.orders)), fmt.percent(r.churn),
      r.models.spend, r.models.churn, r.folds ? `on ${plural(r.folds, 'origin')}` : 'untested: the history is too short']),
  });
}

function predictionTiers(run) {
  const most = Math.max(0.001, ...run.tiers.map((t) => t.spend_share || 0));
  const bar = (share) => el('span', {class: 'bar-cell'}, el('span', {class: 'inline-bar', 'aria-hidden': 'true',
    style: {width: `${Math.max(0, share || 0) / most * 3.5}rem`}}), el('span', null, fmt.share(share)));
  return tablePanel('Tiers of value', `Customers in order of what they will spend within ${run.days} days: the first tenth, the next fifth, the next three tenths, the rest.`, {
    head: ['Tier', 'Customers', 'Will spend', 'Of all'], textColumns: [3], className: 'groups',
    rows: run.tiers.map((t) => [t.tier, fmt.count(t.customers), fmt.amount(t.spend), bar(t.spend_share)]),
  });
}

/* Chance of no order by how often and how lately customers ordered; the deeper, the likelier they stay away. */
function predictionMatrix(matrix) {
  return tablePanel('Who stays away', `Chance of no order within ${matrix.days} days, by days with an order (rows) and days since the last one (columns); below it how many customers that is said of.`, {
    head: ['Orders', ...matrix.silent], className: 'heat dense',
    rows: matrix.orders.map((label, f) => [label, ...matrix.silent.map((_, r) => {
      const churn = matrix.churn[f][r];
      if (!known(churn)) return '';
      return {text: el('span', null, fmt.percent(churn), el('br'), hint(cellCount(matrix.customers[f][r]))), class: 'fill',
        style: {'--v': churn}, title: plural(matrix.customers[f][r], 'customer')};
    })]),
  });
}

function drawPredictions(predictions) {
  if (!predictions) return $('predictions').remove();
  const shown = predictions.runs.find((r) => r.run === predictions.matrix.run);
  $('predictions-lead').textContent = `As said on ${fmt.date(shown.as_of)} of ${plural(shown.customers, 'customer')} who had ordered, less what is given back: ` +
    `${fmt.amount(shown.spend)} within ${shown.days} days. ‘coterie predictions record’ tells how right it was once the days are over.`;
  put('predictions-body', predictionRuns(predictions.runs), predictionTiers(shown), predictionMatrix(predictions.matrix));
}

function drawRfm(rfm) {
  if (!rfm || rfm.scored < 5) return $('rfm').remove(); /* fifths of fewer say nothing */
  $('rfm-lead').textContent = `The marketer's classic: ${fmt.count(rfm.scored)} buyers scored 1 to 5 by how recently, how often and for how much they bought.` +
    (rfm.without_order ? ` ${plural(rfm.without_order, 'customer')} without an order ${rfm.without_order === 1 ? 'has' : 'have'} no score.` : '');
  put('rfm-body', el('div', {class: 'two'}, rfmGrid(rfm), rfmGroups(rfm)),
    rfm.cross && data.segments ? rfmCross(rfm.cross, data.segments.segments) : null);
}

/* ---- cohorts ---- */

function drawCohorts(cohorts) {
  if (!cohorts || cohorts.rows.length < 2) return $('cohorts').remove();
  $('cohorts-lead').textContent = 'Of the customers whose first order was in a month, the share that ordered again that many months later.' +
    (cohorts.complete ? '' : ` Dashed: ${fmt.month(cohorts.last_month)}, which the data covers in part.`) +
    (cohorts.earlier_customers ? ` ${plural(cohorts.earlier_customers, 'customer')} of earlier months not shown.` : '');
  const n = Math.max(...cohorts.rows.map((row) => row.active.length));
  const strongest = Math.max(0.01, ...cohorts.rows.flatMap((row) => row.active.slice(1).map((a) => (row.customers ? a / row.customers : 0))));
  const cells = (row) => Array.from({length: n - 1}, (_, i) => {
    const active = row.active[i + 1];
    if (active === undefined || !row.customers) return '';
    const share = active / row.customers;
    const partial = !cohorts.complete && i + 1 === row.active.length - 1;
    return {text: fmt.percent(share), class: partial ? 'fill partial' : 'fill', style: {'--v': share / strongest},
      title: `${fmt.count(active)} of ${fmt.count(row.customers)} first seen in ${fmt.month(row.month)} ordered ${plural(i + 1, 'month')} later`};
  });
  put('cohort-table', table({
    className: n > 14 ? 'heat months dense' : 'heat months', head: ['First order', 'Customers', ...Array.from({length: n - 1}, (_, i) => `+${i + 1}`)],
    rows: cohorts.rows.map((row) => [fmt.month(row.month), fmt.count(row.customers), ...cells(row)]),
  }));
}

/* ---- concentration ---- */

function drawConcentration(c) {
  if (!c || !c.half_customers || c.customers < 10) return $('concentration').remove(); /* shares of fewer say nothing */
  $('concentration-lead').textContent = `${plural(c.customers, 'customer')} with orders or refunds, from the one with the most net revenue down. ` +
    (c.negative ? `${plural(c.negative, 'customer')} with more refunds than orders count as 0.` : '');
  put('concentration-tiles', tiles([
    ...c.top.map((row) => [`Top ${fmt.percent(row.share)}`, fmt.share(row.revenue_share), `of revenue, ${plural(row.customers, 'customer')}`]),
    ['Gini', fmt.fixed2(c.gini), '0: all alike; 1: one has all'],
    ['Half the revenue', fmt.count(c.half_customers), `${c.half_customers === 1 ? 'customer brings' : 'customers bring'} it, ${fmt.share(c.half_customers / c.customers)} of them`],
  ]));
  const axisShare = {min: 0, max: 1, type: 'value'};
  chart('concentration-chart', `Share of revenue by share of customers, best first: the top tenth brings ${fmt.share(c.top[1].revenue_share)}`, (t) => ({
    grid: {left: 6, right: 18, top: 28, bottom: 26, containLabel: true},
    tooltip: tooltip(t, (points) => {
      const point = points[0].value;
      return tip(`Best ${fmt.percent(point[0])} of customers`, [['Share of revenue', fmt.share(point[1])]]);
    }, {trigger: 'axis'}),
    xAxis: axis(t, {...axisShare, name: 'Share of customers, best first', nameLocation: 'middle', nameGap: 26, axisLabel: {formatter: fmt.percent}}),
    yAxis: axis(t, {...axisShare, name: 'Share of revenue', nameTextStyle: {color: t.muted, fontSize: 12, align: 'left'}, axisLabel: {formatter: fmt.percent}}),
    series: [
      {type: 'line', showSymbol: false, lineStyle: {color: t.accent, width: 2.5}, areaStyle: {color: t.accent, opacity: 0.1}, data: c.curve, z: 2,
        markPoint: {symbol: 'circle', symbolSize: 10, itemStyle: {color: t.accent}, silent: true,
          label: {show: true, position: 'right', offset: [2, 10], color: t.ink, formatter: (p) => p.name},
          data: c.top.filter((row) => row.share >= 0.1).map((row) => ({coord: [row.customers / c.customers, row.revenue_share],
            name: `${fmt.percent(row.share)} bring ${fmt.share(row.revenue_share)}`}))}},
      {type: 'line', showSymbol: false, silent: true, tooltip: {show: false}, lineStyle: {color: t.muted, type: 'dashed', width: 1}, data: [[0, 0], [1, 1]]},
    ],
  }));
  put('concentration-table', numbersBelow({
    head: ['Best customers', 'Share of revenue'],
    rows: c.curve.filter(([x]) => Math.abs(x * 20 - Math.round(x * 20)) < 1e-9).map(([x, y]) => [fmt.percent(x), fmt.percent1(y)]),
  }));
}

/* ---- history ---- */

function drawHistory(history) {
  if (!history || history.runs.length < 2) return $('history').remove();
  const {runs, segments} = history;
  const name = (i) => `Run ${runs[i].run}, ${fmt.dateShort(runs[i].as_of)}`;
  $('history-lead').textContent = `${plural(runs.length, 'run')}; segments keep their name and colour from run to run. Share of customers.`;
  chart('history-chart', `Share of customers of ${segments.length} segments over ${runs.length} runs`, (t) => ({
    grid: {left: 6, right: 18, top: 14, bottom: 4, containLabel: true},
    tooltip: tooltip(t, (points) => {
      const i = points[0].dataIndex;
      return tip(name(i), segments.filter((s) => s.runs[i]).map((s) => [s.name, `${fmt.count(s.runs[i].size)} (${fmt.share(s.runs[i].share)})`]));
    }, {trigger: 'axis'}),
    xAxis: axis(t, {type: 'category', boundaryGap: runs.length < 6, data: runs.map((_, i) => name(i)), splitLine: {show: false}}),
    yAxis: axis(t, {type: 'value', axisLabel: {formatter: fmt.percent}, splitNumber: 4}),
    series: segments.map((s) => ({name: String(s.id), type: 'line', symbol: 'circle', symbolSize: 8, lineStyle: {color: t.segmentColor(s.color), width: 2.5},
      itemStyle: {color: t.segmentColor(s.color)}, data: s.runs.map((r) => (r ? r.share : null))})),
  }));
  const shown = runs.map((_, i) => i).slice(-8);
  put('history-table', tablePanel('Customers of each segment', 'With those who joined and left since the run before.', {
    className: 'runs', head: ['Segment', ...shown.map(name)],
    rows: segments.map((s) => [el('div', {class: 'ellipsis', title: s.name}, swatch(s.color), ` ${s.name}`), ...shown.map((i) => {
      const r = s.runs[i];
      if (!r) return '–';
      return el('span', null, fmt.count(r.size), known(r.joined) && i > 0 ? [el('br'), hint(`+${fmt.count(r.joined)} −${fmt.count(r.left)}`)] : null);
    })]),
  }));
}

/* ---- days ---- */

/* Snapshots of the server's midnights; a day without one is a gap. Learned segments have their colour, those by rule shades. */
function drawDays(days) {
  if (!days) return $('days').remove();
  const last = (s) => s.days[s.days.length - 1];
  const segments = [...days.segments].sort((a, b) => last(b).size - last(a).size);
  const dates = [...new Set(segments.flatMap((s) => s.days.map((d) => d.day)))].sort();
  const drawn = segments.slice(0, 12);
  const colors = Object.fromEntries((data.segments ? data.segments.segments : []).map((s) => [s.id, s.color]));
  $('days-lead').textContent = `Customers in ${plural(segments.length, 'segment')}, learned and by rule, at the shop's midnights` +
    ` up to ${dates[dates.length - 1]}${drawn.length < segments.length ? `; the chart shows the largest ${drawn.length}` : ''}.`;
  chart('days-chart', `Customers of ${drawn.length} segments over ${plural(dates.length, 'day')}`, (t) => ({
    grid: {left: 6, right: 18, top: 14, bottom: 4, containLabel: true},
    tooltip: tooltip(t, (points) => {
      const day = dates[points[0].dataIndex];
      return tip(day, drawn.map((s) => [s.name, s.days.find((d) => d.day === day)]).filter(([, d]) => d && known(d.size))
        .map(([name, d]) => [name, fmt.count(d.size)]));
    }, {trigger: 'axis'}),
    xAxis: axis(t, {type: 'category', boundaryGap: dates.length < 2, data: dates, splitLine: {show: false}}),
    yAxis: axis(t, {type: 'value', axisLabel: {formatter: (value) => fmt.compact(value)}, splitNumber: 4}),
    series: drawn.map((s, i) => ({name: s.name, type: 'line', symbol: 'circle', symbolSize: 5, connectNulls: false,
      lineStyle: {color: colors[s.segment_id] ? t.segmentColor(colors[s.segment_id]) : t.accent, width: 2, opacity: colors[s.segment_id] ? 1 : 1 - i * .06},
      itemStyle: {color: colors[s.segment_id] ? t.segmentColor(colors[s.segment_id]) : t.accent},
      data: dates.map((day) => (s.days.find((d) => d.day === day) || {size: null}).size)})),
  }));
  put('days-table', tablePanel('The last day', 'Who entered and left since the day before; net revenue of those who are in it.', {
    head: ['Segment', 'Day', 'Customers', 'Entered', 'Left', '30 days', '365 days'], textColumns: [1],
    rows: segments.map((s) => [s.name, last(s).day, fmt.count(last(s).size), known(last(s).entered) ? fmt.count(last(s).entered) : '–',
      known(last(s).exited) ? fmt.count(last(s).exited) : '–', fmt.money(last(s).revenue_30), fmt.money(last(s).revenue_365)]),
  }));
}

/* ---- demand ---- */

function demandVerdict(d) {
  const shop = d.levels[0];
  if (d.scored_origins === 0) return `Untested: the history is too short to go back by ${plural(d.horizon, d.every)}.`;
  const interval = shop.interval ? ` 80% intervals held ${fmt.percent(shop.interval.coverage)} of what came.` : '';
  const products = d.levels[d.levels.length - 1];
  const served = d.series.filter((s) => s.tested > 0);
  return `Gone back by ${plural(d.scored_origins, 'horizon')}, the shop's forecast was off by ${fmt.percent(shop.reconciled.wape)}` +
    ` (the last value by ${fmt.percent(shop.candidates[0].wape)})${products === shop ? '' : `, products' by ${fmt.percent(products.reconciled.wape)}`}.` +
    `${interval} Models serve ${fmt.count(served.filter((s) => s.beats_naive).length)} of ${plural(served.length, 'tested series', 'tested series')}; ` +
    'where none beats the naive rules, the best of these serves.';
}

function demandName(s) {
  const others = s.level === 'product' && !s.id;
  if (others) return s.category ? `Others of ${s.category}` : 'Other products';
  if (s.level === 'shop') return 'The whole shop';
  return s.name && s.id ? [s.name, el('br'), hint(s.id)] : s.name || s.id;
}

/* By what is to sell; of a long tail first what matters, the rest where it opens. */
function demandTable(d) {
  const most = 10;
  const of = (level, named) => d.series.filter((s) => s.level === level && (level !== 'product' || Boolean(s.id) === named)).sort((a, b) => b.total - a.total);
  const [categories, products, others] = [of('category'), of('product', true), of('product', false)];
  const manyOthers = others.length > 1;
  const first = [d.series[0], ...categories.slice(0, most), ...products, ...(manyOthers ? [] : others)];
  const rest = [...categories.slice(most), ...(manyOthers ? others : [])];
  const options = (series) => ({
    head: ['Series', 'Kind', `Next ${d.every}`, '80% interval', `${plural(d.horizon, d.every)}`, 'Served by', 'On its past'], textColumns: [1, 5, 6],
    rows: series.map((s) => [el('span', null, demandName(s)), words(s.level), fmt.count(s.mean[0]), `${fmt.count(s.low[0])} to ${fmt.count(s.high[0])}`, fmt.count(s.total), s.method,
      s.tested === 0 ? 'untested' : s.beats_naive ? 'beats naive' : 'naive is best']),
  });
  const panel = tablePanel('Products and categories', `The next ${d.every}, and all ${d.horizon} together. Products sum to categories, categories to the shop. ` +
    'Served by: the method that erred least at past origins.', options(first));
  if (rest.length) panel.append(numbersBelow(options(rest), plural(rest.length, 'more series', 'more series')));
  return panel;
}

function drawDemand(d) {
  if (!d) return $('demand').remove();
  const shop = d.series[0];
  const past = d.past.slice(-52);
  const starts = [...past, ...d.steps].map((s) => fmt.dateShort(s.start));
  const before = past.map((s) => s.value);
  const gap = Array(past.length).fill(null);
  $('demand-lead').textContent = `${words(d.measure)} ordered a ${d.every}, and the next ${plural(d.horizon, d.every)} with 80% intervals. ${demandVerdict(d)}`;
  chart('demand-chart', `${words(d.measure)} a ${d.every}, the last ${past.length} and the next ${d.horizon}`, (t) => ({
    grid: {left: 8, right: 8, top: 34, bottom: 10, containLabel: true},
    legend: {top: 0, left: 0, textStyle: {color: t.muted}, itemWidth: 14, itemHeight: 9, data: ['Ordered', 'Forecast']},
    tooltip: tooltip(t, (points) => {
      const i = points[0].dataIndex;
      const k = i - past.length;
      return tip(starts[i], k < 0 ? [['Ordered', fmt.count(before[i])]] : [['Forecast', fmt.count(shop.mean[k])], ['80% interval', `${fmt.count(shop.low[k])} to ${fmt.count(shop.high[k])}`]]);
    }, {trigger: 'axis'}),
    xAxis: axis(t, {type: 'category', data: starts, splitLine: {show: false}}),
    yAxis: axis(t, {type: 'value', axisLabel: {formatter: (value) => fmt.compact(value)}}),
    series: [
      {name: 'Ordered', type: 'line', data: before, symbol: 'none', lineStyle: {color: t.accent, width: 2}, itemStyle: {color: t.accent}},
      {name: 'low', type: 'line', stack: 'interval', data: [...gap, ...shop.low], symbol: 'none', lineStyle: {opacity: 0}},
      {name: 'high', type: 'line', stack: 'interval', data: [...gap, ...shop.high.map((high, i) => high - shop.low[i])], symbol: 'none', lineStyle: {opacity: 0}, areaStyle: {color: t.second, opacity: .2}},
      {name: 'Forecast', type: 'line', data: [...gap, ...shop.mean], symbolSize: 6, lineStyle: {color: t.second, width: 2}, itemStyle: {color: t.second}},
    ],
  }));
  put('demand-table', demandTable(d));
}

/* ---- quality ---- */

const severities = {high: ['bad', 'Serious'], medium: ['warn', 'Worth a look'], low: ['good', 'Minor'], info: ['', 'To know']};

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');

function qualityNotice() {
  const worst = data.quality && data.quality.findings && data.quality.findings.find((f) => f.severity === 'high');
  return worst ? el('p', {class: 'notice'}, el('b', null, 'Data quality: '), sentence(worst.text), ' ', el('a', {href: '#quality'}, 'All findings')) : null;
}

function finding(f) {
  const [tone, word] = severities[f.severity] || ['', words(f.severity)];
  return el('div', {class: 'finding'}, el('div', {class: `severity ${tone}`}, word),
    el('div', null, f.title ? el('h3', null, f.title) : null, el('p', null, sentence(f.text)),
      f.means ? el('p', {class: 'hint'}, f.means) : null, f.action ? el('p', {class: 'hint'}, f.action) : null));
}

function qualityColumns(columns) {
  const dimensions = ['completeness', 'validity', 'uniqueness', 'consistency', 'timeliness'];
  const cell = (value) => known(value) ? {text: fmt.percent1(value), class: 'below', style: {'--v': 1 - Math.min(1, Math.max(0, value))}} : '';
  return numbersBelow({
    head: ['Column', 'Source', 'Rows', ...dimensions.map(words)], textColumns: [1],
    rows: columns.map((c) => [`${c.table}.${c.column}`, c.source, fmt.count(c.rows), ...dimensions.map((d) => cell(c[d]))]),
  }, 'Every column');
}

function drawQuality(quality) {
  if (!quality) return $('quality').remove();
  if (quality.skipped) {
    $('quality-lead').textContent = quality.skipped;
    return;
  }
  const {findings, columns} = quality;
  $('quality-lead').textContent = findings.length ? `${plural(findings.length, 'finding')}, worst first, and what each means for the results.`
    : 'Nothing found that would bend the results.';
  const grave = findings.filter((f) => f.severity === 'high' || f.severity === 'medium');
  const rest = findings.filter((f) => !grave.includes(f));
  put('quality-body', grave.length ? el('div', {class: 'panel'}, grave.map(finding)) : null,
    rest.length ? el('details', {open: !grave.length}, el('summary', null, plural(rest.length, 'minor finding')), el('div', {class: 'panel'}, rest.map(finding))) : null,
    columns && columns.length ? qualityColumns(columns) : null);
}

/* ---- sources ---- */

function drawProvenance(p) {
  const total = p.totals;
  $('provenance-lead').textContent = `${plural(p.files, 'file')} taken in: ${plural(total.rows_read, 'row')} read, ${fmt.count(total.rows_accepted)} accepted, ` +
    `${fmt.count(total.rows_duplicate)} already there, ${fmt.count(total.rows_quarantined)} in quarantine.`;
  put('provenance-body',
    p.imports.length ? tablePanel('Files', p.imports.length < p.files ? `The last ${fmt.count(p.imports.length)} of ${plural(p.files, 'file')}.` : null, {
      head: ['File', 'Kind', 'Read as', 'Taken in', 'Read', 'Accepted', 'Duplicate', 'Quarantined'], textColumns: [1, 2, 3], className: 'files',
      rows: p.imports.map((i) => [i.file, i.kind ? words(i.kind) : '–', i.connector ? words(i.connector) : '–', fmt.dateShort(i.finished_at),
        ...[i.rows_read, i.rows_accepted, i.rows_duplicate, i.rows_quarantined].map(fmt.count)]),
    }) : null,
    p.quarantine.length ? tablePanel('In quarantine', 'Rows that could not be used. "coterie quarantine list" shows each.', {
      head: ['Reason', 'Example', 'Rows'], textColumns: [1],
      rows: p.quarantine.map((q) => [words(q.code), {text: q.reason, class: 'wrap'}, fmt.count(q.rows)]),
    }) : null);
}

/* ---- the page ---- */

function drawNav() {
  const links = new Map();
  for (const section of document.querySelectorAll('section[data-nav]')) {
    const link = el('a', {href: `#${section.id}`}, section.dataset.nav);
    links.set(section, link);
    document.querySelector('#nav ul').append(el('li', null, link));
  }
  const visible = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) visible.add(entry.target); else visible.delete(entry.target);
    let current = null;
    for (const [section, link] of links) {
      link.removeAttribute('aria-current');
      if (!current && visible.has(section)) current = link;
    }
    if (current) current.setAttribute('aria-current', 'true');
  }, {rootMargin: '-15% 0px -60% 0px'});
  for (const section of links.keys()) observer.observe(section);
}

drawHeadline();
drawSegments(data.segments);
drawRfm(data.rfm);
drawPredictions(data.predictions);
drawCohorts(data.cohorts);
drawConcentration(data.concentration);
drawHistory(data.history);
drawDays(data.days);
drawDemand(data.demand);
drawQuality(data.quality);
drawProvenance(data.provenance);
drawNav();
$('footer').textContent = `Made by Coterie ${data.version}. Everything on this page is in this file; nothing is fetched from a network.`;
