/* A long line on loopback: every byte is late by half the round trip each way, and all connections share a rate.
 *
 * usage: line PORT TARGET ROUND_TRIP_SECONDS RATE_BYTES_PER_SECOND    (rate 0: no limit; it holds in each direction)
 *
 * One thread with epoll, and a queue of what is on the way for each direction of each connection. A connection is made
 * at once: the handshake's round trip is not part of it, nor the slow start of TCP.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct piece {
    struct piece *next;
    double due;
    size_t size, sent;
    char bytes[];
};

/* One direction of a connection. */
struct way {
    int from, to, direction;
    int ended, is_blocked;
    struct piece *first, **last;
    struct way *next;
};

struct end { int number; struct way *out, *in; };

/* So small that connections share a rate as packets would. */
enum { PIECE = 64 << 10 };

static double half, rate, arrival[2];
static struct way *ways;
static int poller, timer;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void die(const char *what) { perror(what), exit(1); }

static int connection(int port, int listens) {
    int number = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (listens ? bind(number, (void *)&address, sizeof address) || listen(number, 1024)
                : connect(number, (void *)&address, sizeof address)) die("line");
    return number;
}

static void watch(struct end *end) {
    int yes = 1;
    setsockopt(end->number, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(end->number, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.ptr = end};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, end->number, &event)) die("epoll_ctl");
}

static struct way *make_way(int from, int to, int direction) {
    struct way *way = calloc(1, sizeof *way);
    if (!way) die("line");
    *way = (struct way){.from = from, .to = to, .direction = direction, .next = ways};
    way->last = &way->first;
    return ways = way;
}

/* When so many bytes that are sent now are there. */
static double due(int direction, size_t size, double time) {
    double *free_at = &arrival[direction];
    if (*free_at < time) *free_at = time;
    if (rate > 0) *free_at += size / rate;
    return *free_at + half;
}

/* Takes all that came. What is on a long line has no bound: its sender sees only its own window. */
static void take(struct way *way) {
    while (!way->ended) {
        struct piece *piece = malloc(sizeof *piece + PIECE);
        if (!piece) die("line");
        ssize_t count = read(way->from, piece->bytes, PIECE);
        if (count < 0 && errno == EAGAIN) { free(piece); return; }
        if (count < 0) count = 0;
        if (count == 0) way->ended = 1;
        piece = realloc(piece, sizeof *piece + count);
        if (!piece) die("line");
        *piece = (struct piece){.due = due(way->direction, count, now()), .size = count};
        *way->last = piece;
        way->last = &piece->next;
    }
}

/* Passes on what has arrived. An empty piece is the end of the stream. */
static void give(struct way *way, double time) {
    while (way->first && way->first->due <= time && !way->is_blocked) {
        struct piece *piece = way->first;
        while (piece->sent < piece->size) {
            ssize_t count = send(way->to, piece->bytes + piece->sent, piece->size - piece->sent, MSG_NOSIGNAL);
            if (count < 0 && errno == EAGAIN) { way->is_blocked = 1; return; }
            if (count < 0) { piece->sent = piece->size; break; }
            piece->sent += count;
        }
        if (piece->size == 0) shutdown(way->to, SHUT_WR);
        way->first = piece->next;
        if (!way->first) way->last = &way->first;
        free(piece);
    }
}

static void accept_one(int listener, int target) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) return;
    struct end *near = calloc(1, sizeof *near), *far = calloc(1, sizeof *far);
    if (!near || !far) die("line");
    near->number = client;
    far->number = connection(target, 0);
    near->in = far->out = make_way(near->number, far->number, 0);
    far->in = near->out = make_way(far->number, near->number, 1);
    watch(near);
    watch(far);
}

int main(int count, char **words) {
    if (count != 5) return fprintf(stderr, "usage: line PORT TARGET ROUND_TRIP RATE\n"), 2;
    half = atof(words[3]) / 2, rate = atof(words[4]);
    int target = atoi(words[2]), listener = connection(atoi(words[1]), 1);
    signal(SIGPIPE, SIG_IGN);
    // Memory is used again, not given back to the system and faulted in again.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    static struct end alarm_end;
    event.data.ptr = &alarm_end;
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, -1);
        if (ready < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < ready; i++) {
            struct end *end = events[i].data.ptr;
            unsigned long long ticks;
            if (!end) accept_one(listener, target);
            else if (end == &alarm_end) (void)!read(timer, &ticks, sizeof ticks);
            else {
                if (events[i].events & EPOLLOUT) end->out->is_blocked = 0;
                if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) take(end->in);
            }
        }
        double time = now(), next = 0;
        for (struct way *way = ways; way; way = way->next) {
            give(way, time);
            if (way->first && !way->is_blocked && (next == 0 || way->first->due < next)) next = way->first->due;
        }
        struct itimerspec alarm = {.it_value = {next, (next - (long)next) * 1e9}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, NULL);
    }
}
