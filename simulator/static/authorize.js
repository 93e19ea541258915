// The login page in a phone's web view, whose name says whose phone it is. No module: the frame has no origin.

{
  const here = new URL(location.href);
  const go = (name, value) => {
    here.searchParams.set(name, value);
    location.replace(here);
  };
  const nobody = document.getElementById("nobody");
  const holder = window.name.startsWith("phone:") ? window.name.slice("phone:".length) : "";
  if (nobody && holder) go("openid", holder);
  else if (nobody) nobody.hidden = false;
  const answer = (id, then) => document.getElementById(id)?.addEventListener("click", (event) => {
    event.preventDefault();
    then();
  });
  answer("allow", () => go("allowed", "1"));
  answer("deny", () => parent.postMessage({ simulator: "close" }, here.origin));
}
