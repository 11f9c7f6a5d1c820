/* The addresses a server accepts on: IPv4, IPv6 and unix sockets. */
#include "http/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/listener.h>

#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/peer.h"
#include "http/state.h"

#define BACKLOG		1024

/*
 * Every listener of the process: evhttp takes the listener's argument for
 * itself, so what an error means for whom is found by the listener.
 */
static TAILQ_HEAD(, listener) all = TAILQ_HEAD_INITIALIZER(all);

static void
error_cb(struct evconnlistener *lev, void *arg)
{
	int err = EVUTIL_SOCKET_ERROR();
	struct listener *l;

	(void)arg;
	TAILQ_FOREACH(l, &all, all_link)
		if (l->lev == lev) {
			server_starved(l->server, err);
			return;
		}
}

void
listener_enable(struct listener *l, bool on)
{
	if (l->on == on)
		return;
	l->on = on;
	if (on)
		evconnlistener_enable(l->lev);
	else
		evconnlistener_disable(l->lev);
}

/* Takes fd and path.  -1: no memory. */
static int
listener_add(struct http_server *s, int fd, char *path)
{
	struct listener *l = mem_zalloc(sizeof(*l));
	struct evconnlistener *lev = NULL;

	if (l == NULL)
		goto fail;
	lev = evconnlistener_new(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE |
	    LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (lev == NULL)
		goto fail;
	fd = -1;
	if ((l->bound = evhttp_bind_listener(s->http, lev)) == NULL)
		goto fail;
	evconnlistener_set_error_cb(lev, error_cb);
	l->lev = lev;
	l->path = path;
	l->server = s;
	TAILQ_INSERT_TAIL(&all, l, all_link);
	TAILQ_INSERT_TAIL(&s->listeners, l, link);
	listener_enable(l, true);
	return 0;
fail:
	if (lev != NULL)
		evconnlistener_free(lev);
	if (fd != -1)
		close(fd);
	mem_free(path);
	mem_free(l);
	return -1;
}

void
listeners_close(struct http_server *s)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(&s->listeners)) != NULL) {
		TAILQ_REMOVE(&s->listeners, l, link);
		TAILQ_REMOVE(&all, l, all_link);
		evhttp_del_accept_socket(s->http, l->bound);
		if (l->path != NULL)
			unlink(l->path);
		mem_free(l->path);
		mem_free(l);
	}
}

static int
open_socket(int family, const struct sockaddr *sa, socklen_t bytes)
{
	int fd, on = 1, saved;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)	/* IPv4 has a socket of its own */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* Inherited by accepted sockets: answers are written whole. */
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	if (bind(fd, sa, bytes) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
failed(const char *address, int port)
{
	char quoted[160];
	int err = errno;

	log_quote(address, strlen(address), quoted, sizeof(quoted));
	if (port >= 0)
		log_error("http", "listen failed",
		    "address=%s port=%d err=\"%s\"", quoted, port,
		    strerror(err));
	else
		log_error("http", "listen failed", "path=%s err=\"%s\"",
		    quoted, strerror(err));
	return -1;
}

/* A socket that nobody listens on is of a process that was killed. */
static bool
is_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(sun->sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	stale = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) ==
	    -1 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int
open_unix(struct http_server *s, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char *copy;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return failed(path, -1);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (is_stale(&sun)) {
		log_info("http", "removing stale socket", "path=%s", path);
		unlink(path);
	}
	fd = open_socket(AF_UNIX, (struct sockaddr *)&sun, sizeof(sun));
	if (fd == -1)
		return failed(path, -1);
	if ((copy = mem_strdup(path)) == NULL) {
		close(fd);
		return failed(path, -1);
	}
	if (listener_add(s, fd, copy) == -1) {
		errno = ENOMEM;
		return failed(path, -1);
	}
	log_info("http", "listening", "path=%s", path);
	return 0;
}

static int
bound_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == -1)
		return 0;
	return ntohs(ss.ss_family == AF_INET6 ?
	    ((struct sockaddr_in6 *)(void *)&ss)->sin6_port :
	    ((struct sockaddr_in *)(void *)&ss)->sin_port);
}

/*
 * Bind one numeric address.  *port 0 becomes the one that was picked, so that
 * all addresses get the same.  1: the host does not have that address family.
 */
static int
open_tcp(struct http_server *s, const char *address, int *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE,
	    .ai_socktype = SOCK_STREAM }, *ai;
	char service[8], host[64];
	int fd, r, n;

	/* "[::1]", as a URL has it, is "::1". */
	n = (int)strlen(address);
	if (address[0] == '[' && address[n - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", n - 2, address + 1);
	else
		snprintf(host, sizeof(host), "%s", address);
	snprintf(service, sizeof(service), "%d", *port);
	r = getaddrinfo(host, service, &hints, &ai);
	if (r != 0) {		/* its form is right, config saw to that */
		log_error("http", "listen failed", "address=%s err=\"%s\"",
		    host, gai_strerror(r));
		return -1;
	}
	fd = open_socket(ai->ai_family, ai->ai_addr, ai->ai_addrlen);
	r = errno;
	freeaddrinfo(ai);
	errno = r;
	if (fd == -1 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		return 1;
	if (fd == -1)
		return failed(address, *port);
	*port = bound_port(fd);
	if (listener_add(s, fd, NULL) == -1) {
		errno = ENOMEM;
		return failed(address, *port);
	}
	log_info("http", "listening", "address=%s port=%d", address, *port);
	return 0;
}

/* Both families; a host without IPv6 is served on IPv4 alone. */
static int
open_pair(struct http_server *s, const char *v4, const char *v6, int *port)
{
	int four = open_tcp(s, v4, port), six;

	if (four == -1)
		return -1;
	six = open_tcp(s, v6, port);
	if (six == -1)
		return -1;
	if (four == 1 && six == 1)
		return failed(v4, *port);
	return 0;
}

int
listeners_open(struct http_server *s)
{
	const struct config *c = s->config;
	int port = (int)c->port, r;
	const char *a;
	size_t i;

	for (i = 0; i < c->listen_count; i++) {
		a = c->listen[i];
		if (strncmp(a, "unix:", 5) == 0)
			r = open_unix(s, a + 5);
		else if (a[0] == '/')
			r = open_unix(s, a);
		else if (strcmp(a, "*") == 0)
			r = open_pair(s, "0.0.0.0", "::", &port);
		else if (strcmp(a, "localhost") == 0)
			r = open_pair(s, "127.0.0.1", "::1", &port);
		else if ((r = open_tcp(s, a, &port)) == 1)
			r = failed(a, port);
		if (r != 0)
			return -1;
	}
	return 0;
}
