// The gallery of predict: which pictures are there, and in what order. Nothing here is needed to read it.
(() => {
  'use strict';
  document.documentElement.classList.add('js');
  const list = document.getElementById('pictures');
  if (!list) return;
  const items = [...list.children].map(element => ({
    element,
    probability: +element.dataset.p,
    path: element.querySelector('p.path').textContent,
  }));
  const chosen = id => {
    const select = document.getElementById(id);
    return select ? select.value : '';
  };
  const count = document.getElementById('count');
  const filter = () => {
    const wanted = chosen('class');
    const state = chosen('state');
    let shown = 0;
    for (const {element} of items) {
      element.hidden = (wanted !== '' && element.dataset.c !== wanted) ||
        (state !== '' && element.dataset.s !== state);
      shown += element.hidden ? 0 : 1;
    }
    count.textContent = shown === items.length ? '' : shown + ' of ' + items.length;
  };
  const orders = {
    rising: (a, b) => a.probability - b.probability,
    falling: (a, b) => b.probability - a.probability,
    path: (a, b) => a.path.localeCompare(b.path, undefined, {numeric: true}),
  };
  for (const id of ['class', 'state']) {
    const select = document.getElementById(id);
    if (select) select.addEventListener('change', filter);
  }
  document.getElementById('order').addEventListener('change', () => {
    items.sort(orders[chosen('order')]);
    list.append(...items.map(item => item.element));
  });
  filter();  // a browser that goes back keeps what was chosen
})();
