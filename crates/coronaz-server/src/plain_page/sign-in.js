// A link that carries the token (#sign-in=TOKEN) signs in by itself: the part behind # is sent to no server, and is
// taken out of the address first. Any other part behind # goes along to the page that was asked for.
const form = document.querySelector('form');
const MARK = '#sign-in=';
const decode = (text) => {
  try {
    return decodeURIComponent(text).trim();
  } catch {
    return text.trim();
  }
};
if (form && location.hash.startsWith(MARK)) {
  const token = decode(location.hash.slice(MARK.length));
  history.replaceState(null, '', location.pathname + location.search);
  form.elements.token.value = token;
  if (token !== '') form.requestSubmit();
} else if (form && location.hash !== '') {
  form.action += location.hash;
}
