// What the page can do beyond being read: values under the pointer, sorting, searching. Nothing here
// is needed to read it.
(() => {
  'use strict';
  document.documentElement.classList.add('js');

  // Charts: the point nearest to the pointer, or moved by the arrow keys.
  const svgElement = (name, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return element;
  };
  for (const plot of document.querySelectorAll('.plot')) {
    const series = JSON.parse(plot.dataset.points).map(one => ({
      ...one,
      points: one.points.split(';').filter(Boolean).map(text => {
        const [px, py, x, y] = text.split(' ');
        return {px: +px, py: +py, x, y};
      }),
    }));
    const places = [...new Set(series.flatMap(one => one.points.map(p => p.px)))]
      .sort((a, b) => a - b);
    if (places.length === 0) continue;
    const svg = plot.querySelector('svg');
    const marks = svg.appendChild(svgElement('g', {}));
    const readout = plot.appendChild(document.createElement('p'));
    readout.className = 'readout';
    readout.setAttribute('aria-live', 'polite');
    plot.tabIndex = 0;
    plot.setAttribute('role', 'group');
    plot.setAttribute('aria-label',
      svg.getAttribute('aria-label') + '; the arrow keys read values');
    let place = -1;
    const nearest = (list, wanted, of) => list.reduce(
      (best, one) => Math.abs(of(one) - wanted) < Math.abs(of(best) - wanted) ? one : best);
    const show = index => {
      place = index;
      marks.replaceChildren();
      readout.replaceChildren();
      if (index < 0) return;
      const px = places[index];
      marks.append(svgElement('line', {class: 'mark', x1: px, x2: px, y1: 30, y2: 234}));
      const near = series.filter(one => one.points.length)
        .map(one => [one, nearest(one.points, px, p => p.px)])
        .filter(([, point]) => Math.abs(point.px - px) < 6);
      readout.append(near[0][1].x + ' ' + plot.dataset.x);
      for (const [one, point] of near) {
        marks.append(svgElement('circle',
          {class: 'cv-dot cv-' + one.tone, r: 4, cx: point.px, cy: point.py}));
        const value = document.createElement('b');
        value.textContent = point.y + one.unit;
        readout.append(' · ' + one.name + ' ', value);
      }
    };
    svg.addEventListener('pointermove', event => {
      const box = svg.getBoundingClientRect();
      const wanted = (event.clientX - box.left) / box.width * 480;
      show(places.indexOf(nearest(places, wanted, p => p)));
    });
    svg.addEventListener('pointerleave', event => {
      if (event.pointerType === 'mouse') show(-1);
    });
    plot.addEventListener('keydown', event => {
      const steps = {ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: places.length - 1,
        Escape: -1};
      if (!(event.key in steps)) return;
      event.preventDefault();
      show(Math.max(event.key === 'Escape' ? -1 : 0, Math.min(steps[event.key], places.length - 1)));
    });
  }

  // Tables that are sorted by their headings, and searched by the first column.
  const number = text => {
    const value = parseFloat(text.replace(/[,%\s]/g, '').replace('\u2212', '-'));
    return Number.isNaN(value) ? -Infinity : value;
  };
  for (const table of document.querySelectorAll('.sortable')) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const numeric = head.dataset.sort !== 'text';
        const before = head.getAttribute('aria-sort');
        const rising = before ? before === 'descending' : !numeric;
        heads.forEach(other => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', rising ? 'ascending' : 'descending');
        const sign = rising ? 1 : -1;
        const keyed = [...body.rows].map(row => {
          const text = row.cells[column].textContent;
          return [numeric ? number(text) : text, row];
        });
        keyed.sort(([a], [b]) => sign * (numeric ? (a > b) - (a < b)
          : a.localeCompare(b, undefined, {numeric: true})));
        body.append(...keyed.map(([, row]) => row));
      });
    });
  }
  for (const search of document.querySelectorAll('[data-searches]')) {
    const rows = document.getElementById(search.dataset.searches).tBodies[0].rows;
    const found = document.getElementById(search.dataset.tells);
    search.addEventListener('input', () => {
      const wanted = search.value.trim().toLowerCase();
      let count = 0;
      for (const row of rows) {
        row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
        count += row.hidden ? 0 : 1;
      }
      found.textContent = wanted ? count + ' found' : '';
    });
  }

  // The confusion matrix in another order: rows and columns alike.
  for (const select of document.querySelectorAll('[data-orders]')) {
    const table = document.getElementById(select.dataset.orders);
    const rows = [...table.tBodies[0].rows];
    const cells = new Map([table.tHead.rows[0], ...rows].map(row => [row, [...row.cells]]));
    select.addEventListener('change', () => {
      const order = select.value.split(' ').map(Number);
      for (const [row, all] of cells) row.append(all[0], ...order.map(index => all[index + 1]));
      table.tBodies[0].append(...order.map(index => rows[index]));
    });
  }

  // A run under way: the page anew, as long as the reader wants that. The address keeps the wish.
  const reloads = document.getElementById('reloads');
  if (reloads) {
    let timer = 0;
    const follow = () => {
      clearTimeout(timer);
      if (reloads.checked) timer = setTimeout(() => location.reload(), 30000);
    };
    reloads.checked = location.hash === '#reload';
    reloads.addEventListener('change', () => {
      history.replaceState(null, '', reloads.checked ? '#reload' : '#');
      follow();
    });
    follow();
  }

  // Paper has nothing to unfold.
  window.addEventListener('beforeprint', () => {
    for (const part of document.querySelectorAll('details')) part.open = true;
  });
})();
