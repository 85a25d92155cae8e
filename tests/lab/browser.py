"""Opens pages as a browser does: browser.py LAB NAME ACTION URL [TEXT…]

    get URL [HEADER: VALUE…]       open a page and follow redirects
    click URL                      the same, then send the form of the page that is there
    login URL USER PASSWORD        send each form that comes, and fill in the first one that asks for a password
    forge URL                      open a page with the cookies of the browser, each value changed

Cookies stay in LAB/NAME.cookies, and are sent, kept and dropped as RFC 6265 says. `--host NAME=ADDRESS` gives a name an address;
the lab's own authority signs certificates. Prints JSON: `steps`, each with method, url, status, and the names of cookies that were set;
`status`, `url`, `type` and `body` of the page in the end.
"""

import html.parser
import http.cookiejar
import json
import os
import socket
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

MOST_STEPS = 20


class Forms(html.parser.HTMLParser):
    """The forms of a page: method, action, and the inputs with their types and values."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        have = dict(attributes)
        if tag == "form":
            self.forms.append({"method": have.get("method", "get").upper(), "action": have.get("action", ""), "inputs": []})
        elif tag == "input" and self.forms and have.get("name"):
            self.forms[-1]["inputs"].append([have["name"], have.get("type", "text"), have.get("value") or ""])


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self, lab, name):
        self.jar = http.cookiejar.LWPCookieJar(f"{lab}/{name}.cookies")
        if os.path.exists(self.jar.filename):
            self.jar.load(ignore_discard=True)
        context = ssl.create_default_context(cafile=f"{lab}/pki/ca.crt")
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context),
                                                  urllib.request.HTTPCookieProcessor(self.jar), NoRedirect())
        self.opener.addheaders = [("Accept", "text/html,application/xhtml+xml"), ("User-Agent", "Mozilla/5.0")]
        self.steps, self.page = [], {}

    def open(self, url, data=None, headers=()):
        """Opens an address, and what it redirects to."""
        while True:
            body = None if data is None else urllib.parse.urlencode(data).encode()
            request = urllib.request.Request(url, body, dict(headers))
            try:
                answer = self.opener.open(request, timeout=30)
            except urllib.error.HTTPError as error:
                answer = error
            cookies = [line.split("=", 1)[0] for line in answer.headers.get_all("Set-Cookie") or []]
            self.steps.append({"method": request.get_method(), "url": url, "status": answer.status, "cookies": cookies})
            text = answer.read().decode(errors="replace")
            if len(self.steps) > MOST_STEPS:
                sys.exit(f"too many redirects: {self.steps}")
            location = answer.headers.get("Location")
            if answer.status in (301, 302, 303, 307, 308) and location:
                url = urllib.parse.urljoin(url, location)
                data = None if answer.status != 307 else data
                continue
            self.page = {"url": url, "status": answer.status, "type": answer.headers.get("Content-Type"), "body": text}
            return

    def form(self):
        forms = Forms(self.page["body"]).forms if "html" in (self.page["type"] or "") else []
        return forms[0] if forms else None

    def submit(self, form, filled):
        values = {name: filled.get(kind, value) for name, kind, value in form["inputs"]}
        url = urllib.parse.urljoin(self.page["url"], form["action"] or self.page["url"])
        if form["method"] == "GET":
            self.open(url.partition("?")[0] + "?" + urllib.parse.urlencode(values))
        else:
            self.open(url, values)

    def login(self, url, user, password):
        self.open(url)
        asked = False
        while (form := self.form()) and len(self.steps) < MOST_STEPS:
            asks = any(kind == "password" for _, kind, _ in form["inputs"])
            if asks and asked:
                return
            self.submit(form, {"text": user, "email": user, "password": password} if asks else {})
            asked = asked or asks

    def forge(self, url):
        for cookie in self.jar:
            middle = len(cookie.value) // 2
            cookie.value = cookie.value[:middle] + ("A" if cookie.value[middle] != "A" else "B") + cookie.value[middle + 1:]
        self.open(url)


def main():
    arguments, hosts = sys.argv[1:], {}
    while "--host" in arguments:
        place = arguments.index("--host")
        host, address = arguments[place + 1].split("=", 1)
        hosts[host] = address
        del arguments[place:place + 2]
    known = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *more, **options: known(hosts.get(host, host), *more, **options)
    lab, name, action, url, *texts = arguments
    browser = Browser(lab, name)
    if action == "get":
        browser.open(url, headers=[text.split(": ", 1) for text in texts])
    elif action == "click":
        browser.open(url)
        browser.submit(browser.form(), {})
    elif action == "login":
        browser.login(url, *texts)
    elif action == "forge":
        browser.forge(url)
    if action != "forge":
        browser.jar.save(ignore_discard=True)
    print(json.dumps({"steps": browser.steps, **browser.page}))


if __name__ == "__main__":
    main()
