/* SPDX-License-Identifier: Apache-2.0 */
/* Records as the library writes them: every size of every kind, exactly measured, read back by msgpack-c and by the cursor. */
#include "client/encode.h"

#include <math.h>
#include <msgpack.h>

#include "client/secret_names.h"
#include "tests/unit/client_suite.h"

static char *text_of(size_t size)
{
	char *text = malloc(size + 1);

	memset(text, 'a', size);
	text[size] = '\0';
	return text;
}

static struct prodd_entry_of_log entry_with(const struct prodd_field *fields, unsigned count)
{
	return (struct prodd_entry_of_log){ .time_ns = UINT64_C(1795000000123456789), .level = PRODD_WARN,
					    .target = prodd_slice("db.pool"), .message = prodd_slice("slow"),
					    .thread = prodd_slice("worker-3"), .source = prodd_slice("a.c:1"),
					    .fields = fields, .count = count };
}

/* The record in memory of exactly its size, checked; to be freed. */
static unsigned char *encode(struct prodd_entry_of_log *entry, size_t *ret_size, struct record *ret)
{
	const char *why = NULL;
	unsigned char *bytes;

	*ret_size = prodd_encode_measure(entry);
	bytes = malloc(*ret_size);
	prodd_encode_write(entry, bytes);
	ck_assert_msg(record_open((struct prodd_slice){ (char *)bytes, *ret_size }, ret, &why), "%s", why);
	return bytes;
}

/* The value of the only field, as msgpack-c reads it. */
static msgpack_object value_of(const unsigned char *bytes, size_t size, msgpack_unpacked *result)
{
	size_t used = 0;

	msgpack_unpacked_init(result);
	ck_assert_int_eq(msgpack_unpack_next(result, (const char *)bytes, size, &used), MSGPACK_UNPACK_SUCCESS);
	ck_assert_uint_eq(used, size);
	ck_assert_uint_eq(result->data.via.array.size, 10);
	return result->data.via.array.ptr[9];
}

static msgpack_object encoded(struct prodd_field field, unsigned char **bytes, msgpack_unpacked *result)
{
	struct prodd_entry_of_log entry = entry_with(&field, 1);
	struct record record;
	size_t size;

	*bytes = encode(&entry, &size, &record);
	return value_of(*bytes, size, result);
}

#define WITH_VALUE(field, check) \
	do { \
		unsigned char *bytes_; \
		msgpack_unpacked result_; \
		msgpack_object v = encoded(field, &bytes_, &result_); \
		ck_assert(check); \
		msgpack_unpacked_destroy(&result_); \
		free(bytes_); \
	} while (0)

START_TEST(integers_of_all_sizes)
{
	for (int shift = 0; shift < 64; shift++)
		for (int more = -2; more <= 2; more++) {
			uint64_t natural = (UINT64_C(1) << shift) + (uint64_t)(int64_t)more;
			int64_t number = (int64_t)natural, negative = (int64_t)(0 - natural);

			WITH_VALUE(prodd_uint("k", natural),
				   v.type == MSGPACK_OBJECT_POSITIVE_INTEGER && v.via.u64 == natural);
			WITH_VALUE(prodd_int("k", number), v.via.i64 == number && (v.type == MSGPACK_OBJECT_NEGATIVE_INTEGER) ==
										      (number < 0));
			WITH_VALUE(prodd_int("k", negative), v.via.i64 == negative);
		}
	WITH_VALUE(prodd_int("k", INT64_MIN), v.via.i64 == INT64_MIN);
	WITH_VALUE(prodd_uint("k", UINT64_MAX), v.via.u64 == UINT64_MAX);
}
END_TEST

START_TEST(texts_and_bytes_of_all_sizes)
{
	static const size_t around[] = { 0, 16, 31, 255, 65535 };

	for (size_t i = 0; i < sizeof around / sizeof *around; i++)
		for (size_t size = around[i]; size <= around[i] + 18; size++) {
			char *text = text_of(size);

			WITH_VALUE(prodd_str("k", text), v.type == MSGPACK_OBJECT_STR && v.via.str.size == size &&
								 memcmp(v.via.str.ptr, text, size) == 0);
			WITH_VALUE(prodd_bytes("k", text, size), v.type == MSGPACK_OBJECT_BIN && v.via.bin.size == size &&
									 memcmp(v.via.bin.ptr, text, size) == 0);
			free(text);
		}
}
END_TEST

START_TEST(other_values)
{
	WITH_VALUE(prodd_bool("k", true), v.type == MSGPACK_OBJECT_BOOLEAN && v.via.boolean);
	WITH_VALUE(prodd_bool("k", false), v.type == MSGPACK_OBJECT_BOOLEAN && !v.via.boolean);
	WITH_VALUE(prodd_float("k", -1.5e300), v.type == MSGPACK_OBJECT_FLOAT64 && v.via.f64 == -1.5e300);
	WITH_VALUE(prodd_float("k", (double)NAN), v.type == MSGPACK_OBJECT_FLOAT64 && isnan(v.via.f64));
	WITH_VALUE(prodd_str("k", NULL), v.type == MSGPACK_OBJECT_NIL);
	WITH_VALUE(prodd_bytes("k", NULL, 7), v.type == MSGPACK_OBJECT_NIL);
	WITH_VALUE(((struct prodd_field){ "k", 99, 0, 0 }), v.type == MSGPACK_OBJECT_NIL);
}
END_TEST

static bool is_redacted(msgpack_object v)
{
	return v.type == MSGPACK_OBJECT_STR && v.via.str.size == 8 && memcmp(v.via.str.ptr, "[secret]", 8) == 0;
}

START_TEST(secrets_stay_here)
{
	WITH_VALUE(prodd_secret_field("code"), is_redacted(v));
	WITH_VALUE(prodd_str("password", "hunter2"), is_redacted(v));
	WITH_VALUE(prodd_int("pin", 1234), is_redacted(v));
	WITH_VALUE(prodd_bytes("api_key", "hunter2", 7), is_redacted(v));
	WITH_VALUE(prodd_str("customer", "alice"), !is_redacted(v));
}
END_TEST

START_TEST(everything_else_is_as_given)
{
	struct prodd_field fields[RECORD_FIELDS_MAX];
	struct prodd_entry_of_log entry;
	struct record record;
	size_t size;
	char *long_key = text_of(RECORD_KEY_MAX + 50);

	for (unsigned count = 0; count <= RECORD_FIELDS_MAX; count++) {
		unsigned char *bytes;

		for (unsigned i = 0; i < count; i++)
			fields[i] = prodd_int(i % 2 ? "k" : "n", (int64_t)i);
		entry = entry_with(fields, count);
		bytes = encode(&entry, &size, &record);
		ck_assert_uint_eq(record.field_count, count);
		ck_assert(record.time_ns == entry.time_ns && record.level == RECORD_WARN);
		ck_assert(prodd_slice_is(record.target, "db.pool") && prodd_slice_is(record.message, "slow"));
		ck_assert(prodd_slice_is(record.thread, "worker-3") && prodd_slice_is(record.source, "a.c:1"));
		free(bytes);
	}
	fields[0] = prodd_int(NULL, 1);
	fields[1] = prodd_int("", 2);
	fields[2] = prodd_int(long_key, 3);
	entry = entry_with(fields, 3);
	entry.thread = entry.source = prodd_slice("");
	free(encode(&entry, &size, &record));
	ck_assert_uint_eq(record.field_count, 3);
	free(long_key);
}
END_TEST

START_TEST(names_of_secrets)
{
	static const char *const secrets[] = {
		"password", "PASSWORD", "db_password", "passwordOld", "user.passwd", "pwd", "passphrase", "secret",
		"client-secret", "clientSecret", "secrets", "token", "db_token", "accessToken", "refresh-token", "api_key",
		"apiKey", "api-key", "apikey", "private_key", "privateKey", "ssh.key", "credentials", "aws_credential",
		"authorization", "Authorization", "cookie", "set-cookie", "session_cookie", "jwt", "pin", "user_pin", "pass",
		"db_pass", "bearer", "access_key", "hmac_key", "SECRET_KEY_BASE",
	};
	static const char *const others[] = {
		"", "a", "order_id", "customer", "key", "sort_key", "primary_key", "token_count", "tokens", "tokenizer",
		"worker", "week", "size", "compass", "passed", "passenger", "spinner", "opinion", "pinned", "cookies_enabled",
		"secretary", "region", "bear", "monkey", "keyboard", "path", "message", "_", "--", "secretion", "author",
		"passport_country", "cr", "pa", "be",
	};

	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		uint32_t letters = 0;

		for (const char *c = secrets[i]; *c; c++)
			letters |= prodd_letter(*c);
		ck_assert_msg(prodd_is_secret_name(secrets[i], strlen(secrets[i])), "%s", secrets[i]);
		ck_assert_msg(prodd_letters_may_be_secret(letters), "%s", secrets[i]);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		ck_assert_msg(!prodd_is_secret_name(others[i], strlen(others[i])), "%s", others[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: encode");
	TCase *t = tcase_create("encode");

	tcase_add_test(t, integers_of_all_sizes);
	tcase_add_test(t, texts_and_bytes_of_all_sizes);
	tcase_add_test(t, other_values);
	tcase_add_test(t, secrets_stay_here);
	tcase_add_test(t, everything_else_is_as_given);
	tcase_add_test(t, names_of_secrets);
	suite_add_tcase(s, t);
	return client_suite_run(s);
}
