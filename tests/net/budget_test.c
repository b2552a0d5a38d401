/* budget_test.c - what a venue lets us ask for, how far its clock is, and headers both ways. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "net/support_server.h"

#define SECOND ((weir_ns)1000000000)

static struct client client;

static void begin(void)
{
    struct net_config config = {0};
    client_start(&client, &config, unused_port(), false);
}

static void end(void)
{
    client_stop(&client);
}

static void tell(uint32_t of, weir_ns window, int64_t limit, int64_t used)
{
    struct weir_budget budget = {sizeof budget, of, window, limit, used};
    net_budget(client.endpoint, &budget);
}

static enum weir_err spend(uint32_t weight, uint32_t orders, uint32_t lane)
{
    return net_spend(client.endpoint, weight, orders, lane);
}

Test(budget, lanes_leave_each_other_their_share, .init = begin, .fini = end)
{
    const weir_ns year = 365 * 86400 * SECOND; /* a window that does not end in this test */
    cr_assert_eq(spend(1000000, 1000, WEIR_LANE_NEW), WEIR_OK, "nothing was stated yet");
    tell(WEIR_BUDGET_WEIGHT, year, 100, 0);
    cr_assert_eq(spend(80, 1, WEIR_LANE_NEW), WEIR_OK);
    cr_assert_eq(spend(1, 1, WEIR_LANE_NEW), WEIR_E_FULL, "a fifth is left alone by new orders");
    cr_assert_eq(spend(10, 0, WEIR_LANE_ASK), WEIR_OK);
    cr_assert_eq(spend(1, 0, WEIR_LANE_ASK), WEIR_E_FULL, "a tenth by questions");
    cr_assert_eq(spend(10, 0, WEIR_LANE_CANCEL), WEIR_OK, "a cancel takes the last");
    cr_assert_eq(spend(1, 0, WEIR_LANE_CANCEL), WEIR_E_FULL);
    tell(WEIR_BUDGET_WEIGHT, year, 1000, -1);
    cr_assert_eq(spend(1, 1, WEIR_LANE_NEW), WEIR_OK, "a new rule holds at once");
    tell(WEIR_BUDGET_WEIGHT, year, -1, 900); /* somebody else on this address */
    cr_assert_eq(spend(1, 1, WEIR_LANE_NEW), WEIR_E_FULL);
    tell(WEIR_BUDGET_WEIGHT, year, -1, 5); /* an answer of before: what we know counts */
    cr_assert_eq(spend(1, 1, WEIR_LANE_NEW), WEIR_E_FULL);
    cr_assert_eq(net_counts(client.endpoint).held_back, 5);
}

Test(budget, orders_are_counted_apart_and_windows_end, .init = begin, .fini = end)
{
    tell(WEIR_BUDGET_ORDERS, SECOND / 20, 10, 0);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(spend(100, 1, WEIR_LANE_NEW), WEIR_OK);
    enum weir_err err = spend(100, 1, WEIR_LANE_NEW);
    struct timespec rest = {.tv_nsec = SECOND / 10};
    nanosleep(&rest, NULL);
    cr_assert(err == WEIR_E_FULL || err == WEIR_OK); /* a window may have ended just then */
    cr_assert_eq(spend(100, 1, WEIR_LANE_NEW), WEIR_OK, "the next window");
    cr_assert_eq(spend(5000, 0, WEIR_LANE_ASK), WEIR_OK, "weight is not limited here");
}

Test(budget, a_ban_refuses_everything_until_it_ends, .init = begin, .fini = end)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    weir_ns now = (weir_ns)t.tv_sec * SECOND + t.tv_nsec;
    struct weir_request_http wish = {
        .size = sizeof wish, .id = 1, .method = "GET", .path = "/", .lane = WEIR_LANE_CANCEL};
    net_ban(client.endpoint, now + SECOND / 5);
    net_ban(client.endpoint, now + SECOND / 50); /* never shortened */
    cr_assert_eq(spend(1, 0, WEIR_LANE_CANCEL), WEIR_E_FULL);
    cr_assert_eq(net_request(client.endpoint, &wish), WEIR_E_FULL);
    cr_assert_eq(net_banned_until(client.endpoint), now + SECOND / 5);
    struct timespec rest = {.tv_nsec = SECOND / 4};
    nanosleep(&rest, NULL);
    cr_assert_eq(net_banned_until(client.endpoint), 0);
    cr_assert_eq(spend(1, 0, WEIR_LANE_CANCEL), WEIR_OK);
}

Test(clock, the_median_does_not_follow_one_slow_answer, .init = begin, .fini = end)
{
    const weir_ns t = 1700000000 * SECOND;
    cr_assert_eq(net_clock(client.endpoint, 0, 0, 0), 0);
    for (int i = 0; i < 5; i++) /* 300 ms ahead; 20 ms there and back */
        (void)net_clock(client.endpoint, t, t + SECOND / 50, t + SECOND / 100 + 3 * SECOND / 10);
    cr_assert_eq(net_clock(client.endpoint, 0, 0, 0), 3 * SECOND / 10);
    (void)net_clock(client.endpoint, t, t + 9 * SECOND, t + SECOND);
    cr_assert_eq(net_clock(client.endpoint, 0, 0, 0), 3 * SECOND / 10);
    for (int i = 0; i < 15; i++) /* its clock was set back */
        (void)net_clock(client.endpoint, t, t, t - SECOND);
    cr_assert_eq(net_clock(client.endpoint, 0, 0, 0), -SECOND);
}

/* --- headers ----------------------------------------------------------------------------------- */

static void answer_with_headers(struct peer *peer, void *context)
{
    char *seen = context;
    if (!peer_head(peer))
        return;
    snprintf(seen, 400, "%s",
             strstr(peer->request, "X-Key: k1\r\nX-More: 2") ? "both" : "not both");
    peer_say(peer, "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nX-MBX-USED-WEIGHT-1M:  31\r\n"
                   "Content-Length: 2\r\n\r\n{}");
}

Test(headers, they_go_out_and_come_in_before_the_answer)
{
    static char seen[400];
    struct server *server = server_start(answer_with_headers, seen, NULL);
    struct net_config config = {0};
    client_start(&client, &config, server_port(server), false);
    struct weir_request_http wish = {.size = sizeof wish,
                                     .id = 9,
                                     .method = "GET",
                                     .path = "/x",
                                     .headers = "X-Key: k1\nX-More: 2"};
    cr_assert_eq(net_request(client.endpoint, &wish), WEIR_OK);
    cr_assert(client_hears(&client, 'r', 429, 1, 5000));
    cr_assert_str_eq(seen, "both");
    const struct heard *head = client_nth(&client, 'h', 429, 0);
    cr_assert(head && head->id == 9);
    cr_assert(strstr(head->text, "retry-after: 7\n"));
    cr_assert(strstr(head->text, "x-mbx-used-weight-1m:  31\n"));
    client_stop(&client);
    server_stop(server);
}

/* --- doors ------------------------------------------------------------------------------------- */

static void upgrade_only(struct peer *peer, void *context)
{
    (void)context;
    if (peer_upgrade(peer))
        peer_drain(peer);
}

Test(doors, orders_have_a_host_of_their_own_and_a_closed_connection_stays_closed)
{
    struct server *data = server_start(upgrade_only, NULL, NULL);
    struct server *orders = server_start(upgrade_only, NULL, NULL);
    char url[64];
    struct net_config config = {.ws_orders = url, .backoff_first = SECOND / 100};
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", server_port(orders));
    client_start(&client, &config, server_port(data), false);
    cr_assert_eq(net_connect_to(client.endpoint, 1, "", "/a"), WEIR_OK);
    cr_assert_eq(net_connect_to(client.endpoint, 2, "orders", "/b"), WEIR_OK);
    cr_assert_eq(net_connect_to(client.endpoint, 3, "side", "/c"), WEIR_E_NOT_FOUND);
    cr_assert(client_hears(&client, 's', NET_UP, 2, 5000));
    cr_assert_eq(server_connections(data), 1);
    cr_assert_eq(server_connections(orders), 1);
    cr_assert_eq(net_connect_to(client.endpoint, 2, "orders", NULL), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_DOWN, 1, 5000));
    client_runs(&client, 100);
    cr_assert_eq(server_connections(orders), 1, "it was not made anew");
    cr_assert_eq(net_connect_to(client.endpoint, 2, "orders", "/b"), WEIR_OK);
    cr_assert(client_hears(&client, 's', NET_UP, 3, 5000));
    client_stop(&client);
    server_stop(data);
    server_stop(orders);
}
