// The script of the page, which shows everything without it too.
// It holds no less-than and no ampersand, so that the page is well-formed XML as well.
(() => {
  const all = (what, from) => [...(from || document).querySelectorAll(what)];
  document.documentElement.classList.add('js');

  // a node of the plan shows its details beside the plan
  const choose = (id, scroll) => {
    const shown = document.getElementById(id);
    if (!shown) return;
    all('.details .node').forEach(n => n.classList.toggle('chosen', n === shown));
    all('[data-node]').forEach(n => n.classList.toggle('chosen', n.dataset.node === id));
    all('.plan a[data-node]').forEach(
      a => a.setAttribute('aria-current', String(a.dataset.node === id)));
    all('.plan .view').forEach(view => {
      const frame = view.closest('.frame');
      const node = view.querySelector('a.chosen');
      if (!node || !view.offsetParent) return;
      const at = node.getBoundingClientRect(), around = frame.getBoundingClientRect();
      if (at.left - around.left >= 0 ? at.right > around.right : true)
        frame.scrollLeft += (at.left + at.right - around.left - around.right) / 2;
    });
    if (scroll) shown.parentElement.scrollIntoView({block: 'nearest'});
  };
  all('[data-node]').forEach(n => {
    const act = event => { event.preventDefault(); event.stopPropagation();
      choose(n.dataset.node, true); };
    n.addEventListener('click', act);
    n.addEventListener('keydown', e => { if (e.key === 'Enter' || e.key === ' ') act(e); });
  });
  const first = document.querySelector('.plan a.llm') || document.querySelector('.plan a');
  if (first) choose(first.dataset.node, false);

  // sizes of the plan and of timelines
  all('.plan').forEach(plan => all('input', plan).forEach(i => {
    const set = () => { if (i.checked) plan.dataset[i.name] = i.value; };
    i.addEventListener('change', set); set();
  }));
  all('.zoom').forEach(zoom => zoom.addEventListener('input', () => {
    const frame = zoom.closest('.timeline').querySelector('.frame');
    const middle = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
    frame.style.setProperty('--zoom', zoom.value);
    frame.scrollLeft = middle * frame.scrollWidth - frame.clientWidth / 2;
  }));

  // calls tell about themselves when they are pointed at or touched
  all('.timeline').forEach(line => {
    const told = line.querySelector('.told');
    const tell = event => {
      const group = event.target.closest('g');
      const title = group ? group.querySelector('title') : null;
      if (title) told.textContent = title.textContent;
    };
    line.addEventListener('pointerover', tell);
    line.addEventListener('click', tell);
  });

  // all branches of the prompt tree at once; everything is open on paper
  all('[data-open]').forEach(b => b.addEventListener('click', () =>
    all('details', b.closest('section')).forEach(d => { d.open = b.dataset.open === 'yes'; })));
  window.addEventListener('beforeprint', () => all('details').forEach(d => { d.open = true; }));
})();
