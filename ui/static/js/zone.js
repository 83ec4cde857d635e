// The server says times in the reader's zone: it learns the zone from a cookie. Who has
// travelled sees a page once more, as its times are those of where they were.
const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "");
const told = document.cookie.match(/(?:^|; )zone=([^;]*)/)?.[1];
if (zone && zone !== told) {
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  if (told && document.cookie.includes(`zone=${zone}`) && document.querySelector("time")) {
    location.reload();
  }
}
