/* The ground floor: ids, buffers, log quoting, options, the clock. */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "check_wq.h"

START_TEST(new_ids_are_version_4_and_differ)
{
	struct id a = id_new(), b;
	char text[ID_TEXT_BYTES];
	int i;

	for (i = 0; i < 1000; i++) {
		b = id_new();
		id_format(&b, text);
		ck_assert_int_eq(text[14], '4');
		ck_assert(strchr("89ab", text[19]) != NULL);
		ck_assert_mem_ne(&a, &b, sizeof(a));
		a = b;
	}
}
END_TEST

START_TEST(an_id_is_read_as_it_is_written_in_either_case)
{
	const char *lower = "9b2f7c1e-5d3a-4c8e-9f10-2b6d8e4a7c53";
	const char *upper = "9B2F7C1E-5D3A-4C8E-9F10-2B6D8E4A7C53";
	char text[ID_TEXT_BYTES];
	struct id id;

	ck_assert(id_parse(lower, 36, &id));
	id_format(&id, text);
	ck_assert_mem_eq(text, lower, 36);
	ck_assert(id_parse(upper, 36, &id));
	id_format(&id, text);
	ck_assert_mem_eq(text, lower, 36);
}
END_TEST

START_TEST(what_is_not_an_id_is_refused)
{
	struct id id;

	ck_assert(!id_parse("", 0, &id));
	ck_assert(!id_parse("9b2f7c1e-5d3a-4c8e-9f10-2b6d8e4a7c5", 35, &id));
	ck_assert(!id_parse("9b2f7c1e-5d3a-4c8e-9f10-2b6d8e4a7c5g", 36, &id));
	ck_assert(!id_parse("9b2f7c1e05d3a-4c8e-9f10-2b6d8e4a7c53", 36, &id));
	ck_assert(!id_parse("9b2f7c1e-5d3a-4c8e-9f10-2b6d8e4a\0c53", 36, &id));
}
END_TEST

START_TEST(a_buffer_grows)
{
	struct buf b;
	int i;

	buf_init(&b);
	for (i = 0; i < 1000; i++)
		buf_add_str(&b, "abc");
	ck_assert_uint_eq(b.bytes, 3000);
	buf_clear(&b);
	buf_add_int(&b, INT64_MIN);
	buf_add(&b, " ", 1);
	buf_add_uint(&b, UINT64_MAX);
	buf_printf(&b, " %s", "x");
	ck_assert_mem_eq(b.data,
	    "-9223372036854775808 18446744073709551615 x", b.bytes);
	buf_fini(&b);
}
END_TEST

START_TEST(a_buffer_that_failed_stays_failed)
{
	struct buf b;

	buf_init(&b);
	mem_fail_after(0);
	buf_add_str(&b, "abc");
	mem_fail_after(-1);
	ck_assert(b.failed);
	buf_add_str(&b, "abc");
	ck_assert(b.failed);
	ck_assert_uint_eq(b.bytes, 0);
	buf_clear(&b);
	buf_add_str(&b, "abc");
	ck_assert(!b.failed);
	buf_fini(&b);
}
END_TEST

START_TEST(untrusted_bytes_are_quoted)
{
	char out[32];

	ck_assert_str_eq(log_quote("a\"b\n\\", 5, out, sizeof(out)),
	    "\"a\\x22b\\x0a\\x5c\"");
	log_quote("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 40, out,
	    sizeof(out));
	ck_assert_str_eq(out + strlen(out) - 4, "...\"");
}
END_TEST

START_TEST(the_clock_is_of_this_century_and_never_goes_back)
{
	int64_t a = clock_now_ns(), b, epoch_ms;
	int i;

	for (i = 0; i < 1000; i++, a = b) {
		b = clock_now_ns();
		ck_assert_int_ge(b, a);
	}
	epoch_ms = clock_epoch_ms(a);
	ck_assert_int_gt(epoch_ms, INT64_C(1700000000000));
}
END_TEST

static const struct config_option *
option(const char *name)
{
	const struct config_option *o;

	for (o = config_options; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	ck_abort_msg("no option %s", name);
	return NULL;
}

START_TEST(defaults_are_the_manuals)
{
	struct config c;

	ck_assert_int_eq(config_init(&c), 0);
	ck_assert_int_eq(c.port, 3000);
	ck_assert_int_eq(c.lock_timeout_ms, 1000);
	ck_assert_int_eq(c.max_body_bytes, 1048576);
	ck_assert_uint_eq(c.listen_count, 1);
	config_fini(&c);
}
END_TEST

START_TEST(bytes_may_have_a_suffix)
{
	struct config c;
	char error[CONFIG_ERROR_BYTES];

	ck_assert_int_eq(config_init(&c), 0);
	ck_assert_int_eq(config_set(&c, option("max-body"), "3k", error), 0);
	ck_assert_int_eq(c.max_body_bytes, 3072);
	ck_assert_int_eq(config_set(&c, option("max-body"), "2M", error), 0);
	ck_assert_int_eq(c.max_body_bytes, 2097152);
	ck_assert_int_eq(config_set(&c, option("port"), "2K", error), -1);
	config_fini(&c);
}
END_TEST

START_TEST(a_bad_value_is_refused_and_named)
{
	static const char *const bad[] = { "", "x", "-1", "1.5", " 1", "+1",
	    "65536", "99999999999999999999", "0x10", "1 " };
	struct config c;
	char error[CONFIG_ERROR_BYTES];
	size_t i;

	ck_assert_int_eq(config_init(&c), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(config_set(&c, option("port"), bad[i],
		    error), -1);
		ck_assert_ptr_nonnull(strstr(error, "port"));
		ck_assert_ptr_nonnull(strstr(error, "0 to 65535"));
	}
	ck_assert_int_eq(c.port, 3000);
	config_fini(&c);
}
END_TEST

START_TEST(addresses_are_split)
{
	struct config c;
	char error[CONFIG_ERROR_BYTES];

	ck_assert_int_eq(config_init(&c), 0);
	ck_assert_int_eq(config_set(&c, option("listen"), "127.0.0.1,/a/b",
	    error), 0);
	ck_assert_uint_eq(c.listen_count, 2);
	ck_assert_str_eq(c.listen[1], "/a/b");
	ck_assert_int_eq(config_set(&c, option("listen"), "::1,[::1],*,unix:a,"
	    "localhost", error), 0);
	ck_assert_int_eq(config_set(&c, option("listen"), "::1,,*", error),
	    -1);
	ck_assert_int_eq(config_set(&c, option("listen"), "a", error), -1);
	ck_assert_int_eq(config_set(&c, option("listen"), "unix:", error),
	    -1);
	config_fini(&c);
}
END_TEST

START_TEST(the_environment_is_read)
{
	struct config c;
	char error[CONFIG_ERROR_BYTES];

	ck_assert_int_eq(config_init(&c), 0);
	setenv("PORT", "81", 1);
	setenv("WQ_LOCK_TIMEOUT", "7", 1);
	ck_assert_int_eq(config_read_env(&c, error), 0);
	ck_assert_int_eq(c.port, 81);
	ck_assert_int_eq(c.lock_timeout_ms, 7);
	setenv("WQ_PORT", "82", 1);
	ck_assert_int_eq(config_read_env(&c, error), 0);
	ck_assert_int_eq(c.port, 82);
	setenv("WQ_LOCK_TIMEOUT", "soon", 1);
	ck_assert_int_eq(config_read_env(&c, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "WQ_LOCK_TIMEOUT"));
	config_fini(&c);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");

	tcase_add_test(t, new_ids_are_version_4_and_differ);
	tcase_add_test(t, an_id_is_read_as_it_is_written_in_either_case);
	tcase_add_test(t, what_is_not_an_id_is_refused);
	tcase_add_test(t, a_buffer_grows);
	tcase_add_test(t, a_buffer_that_failed_stays_failed);
	tcase_add_test(t, untrusted_bytes_are_quoted);
	tcase_add_test(t, the_clock_is_of_this_century_and_never_goes_back);
	tcase_add_test(t, defaults_are_the_manuals);
	tcase_add_test(t, bytes_may_have_a_suffix);
	tcase_add_test(t, a_bad_value_is_refused_and_named);
	tcase_add_test(t, addresses_are_split);
	tcase_add_test(t, the_environment_is_read);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
