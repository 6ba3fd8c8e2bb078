// Hearing a recording: the timeline, the words and the sound move together.

const audio = document.querySelector('#sound');
const timeline = document.querySelector('svg.tl');
const head = document.querySelector('.tl .head');
const clock = document.querySelector('[data-clock]');
const play = document.querySelector('[data-play]');
const length = Number(timeline?.dataset.length ?? 0) / 1000;
const written = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
const words = [...document.querySelectorAll('.talk .w')].map((word) => [Number(word.dataset.t) / 1000, word]);
let marked;

function show() {
  const now = audio.currentTime;
  if (clock) clock.textContent = `${written(now)} / ${written(length)}`;
  const place = `${Math.min(100, (now / length) * 100)}%`;
  head?.setAttribute('x1', place);
  head?.setAttribute('x2', place);
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle][0] <= now) low = middle + 1; else high = middle;
  }
  const word = low > 0 && (now > 0 || !audio.paused) ? words[low - 1][1] : undefined;
  if (word === marked) return;
  marked?.classList.remove('on');
  marked?.closest('li').classList.remove('now');
  word?.classList.add('on');
  const line = word?.closest('li');
  line?.classList.add('now');
  if (line && !audio.paused) {
    const box = line.parentElement;
    const [top, bottom] = [line.offsetTop - box.offsetTop, line.offsetTop - box.offsetTop + line.offsetHeight];
    if (top < box.scrollTop || bottom > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
  }
  marked = word;
}

function hear(seconds) {
  audio.currentTime = seconds;
  audio.play();
  show();
}

if (audio && timeline && length > 0) {
  const tick = () => { show(); if (!audio.paused) requestAnimationFrame(tick); };
  audio.addEventListener('play', () => { play.setAttribute('aria-pressed', 'true'); play.querySelector('span').textContent = 'Pause'; tick(); });
  audio.addEventListener('pause', () => { play.setAttribute('aria-pressed', 'false'); play.querySelector('span').textContent = 'Play'; show(); });
  audio.addEventListener('seeked', show);
  audio.addEventListener('error', () => { play.setAttribute('aria-disabled', 'true'); clock.textContent = 'The recording cannot be played'; });
  play.addEventListener('click', () => (audio.paused ? audio.play() : audio.pause()));
  document.querySelector('[data-speed]')?.addEventListener('change', (event) => { audio.playbackRate = Number(event.target.value); });
  timeline.addEventListener('click', (event) => {
    const box = timeline.getBoundingClientRect();
    hear(Math.max(0, Math.min(length, ((event.clientX - box.left) / box.width) * length)));
  });
  document.querySelector('.talk')?.addEventListener('click', (event) => {
    const place = event.target.closest('[data-t]');
    if (place) hear(Number(place.dataset.t) / 1000);
  });
  show();
}
