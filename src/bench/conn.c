/*
 * A connection.  A request goes out in one send where the socket takes it;
 * a read takes what is there, once, because one answer at most is owed.
 */
#include "bench/conn.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECT_LIMIT_S = 5,
	READ_ROOM_BYTES = 4096,
	READ_MORE_BYTES = 256 << 10	/* once an answer has proved long */
};

int
conn_open(struct conn *c, const struct addrinfo *to)
{
	struct timeval limit = { CONNECT_LIMIT_S, 0 };
	int on = 1, saved;

	memset(c, 0, sizeof(*c));
	c->fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC,
	    to->ai_protocol);
	if (c->fd == -1)
		return -1;
	if (setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
	    sizeof(limit)) == -1 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit)) == -1 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on)) == -1 ||
	    connect(c->fd, to->ai_addr, to->ai_addrlen) == -1) {
		saved = errno == EINPROGRESS ? ETIMEDOUT : errno;
		conn_close(c);
		errno = saved;
		return -1;
	}
	return 0;
}

int
conn_unblock(struct conn *c)
{
	int flags;

	if ((flags = fcntl(c->fd, F_GETFL)) == -1)
		return -1;
	return fcntl(c->fd, F_SETFL, flags | O_NONBLOCK) == -1 ? -1 : 0;
}

void
conn_close(struct conn *c)
{
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	buffer_fini(&c->in);
	buffer_fini(&c->out);
}

enum conn_outcome
conn_write(struct conn *c)
{
	ssize_t n;

	while (c->out_sent < c->out.bytes) {
		n = send(c->fd, c->out.data + c->out_sent,
		    c->out.bytes - c->out_sent, MSG_NOSIGNAL);
		if (n == -1) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN)
				return CONN_AGAIN;
			return errno == EPIPE || errno == ECONNRESET ?
			    CONN_GONE : CONN_FAILED;
		}
		c->out_sent += (size_t)n;
	}
	c->out.bytes = 0;
	c->out_sent = 0;
	return CONN_OK;
}

enum conn_outcome
conn_read(struct conn *c)
{
	size_t room = c->in.bytes >= READ_ROOM_BYTES ? READ_MORE_BYTES :
	    READ_ROOM_BYTES;
	char *end;
	ssize_t n;

	if ((end = buffer_reserve(&c->in, room)) == NULL) {
		errno = ENOMEM;
		return CONN_FAILED;
	}
	n = recv(c->fd, end, c->in.room - c->in.bytes, 0);
	if (n > 0) {
		c->in.bytes += (size_t)n;
		return CONN_OK;
	}
	if (n == 0 || errno == ECONNRESET)
		return CONN_GONE;
	return errno == EAGAIN || errno == EINTR ? CONN_AGAIN : CONN_FAILED;
}
