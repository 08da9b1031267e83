/* Passwords: compared in capitals, as CP takes everything that is typed. */
#include "hyp/password.h"

#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static const struct {
    const char *method, *prefix;
} methods[] = {{"yescrypt", "$y$"}, {"sha512", "$6$"}};

/* 1-8 characters, in capitals. */
static bool fold(const char *password, char out[DIR_NAME_BYTES])
{
    size_t n = strlen(password);
    memset(out, 0, DIR_NAME_BYTES);
    for (size_t i = 0; i < 8 && i < n; i++)
        out[i] = (char)toupper((unsigned char)password[i]);
    return n && n <= 8;
}

/* out gets the hash of `text` by `setting`; false: crypt(3) cannot. */
static bool hash_by(const char *text, const char *setting, char out[DIR_PASSWORD_BYTES])
{
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *hash = data ? crypt_r(text, setting, data) : NULL;
    bool good = hash && *hash == '$' && strlen(hash) < DIR_PASSWORD_BYTES;
    if (good)
        strcpy(out, hash);
    if (data)
        explicit_bzero(data, sizeof *data);
    free(data);
    return good;
}

bool directory_hash_ok(const char *hash)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (!strncmp(hash, methods[i].prefix, 3))
            return strlen(hash) < DIR_PASSWORD_BYTES && strchr(hash + 3, '$') &&
                   crypt_checksalt(hash) == CRYPT_SALT_OK;
    return false;
}

int directory_hash(const char *password, const char *method, char out[DIR_PASSWORD_BYTES],
                   struct cause *cause)
{
    char folded[DIR_NAME_BYTES], salt[CRYPT_GENSALT_OUTPUT_SIZE];
    size_t i = 0;
    while (method && i < ARRAY_LEN(methods) && strcmp(method, methods[i].method))
        i++;
    if (i == ARRAY_LEN(methods))
        return cause_set(cause, ST_INVAL, "methods are yescrypt and sha512");
    if (!fold(password, folded) || strpbrk(password, " \t\n"))
        return cause_set(cause, ST_INVAL, "a password has 1-8 characters and no blanks");
    bool good = crypt_gensalt_rn(methods[i].prefix, 0, NULL, 0, salt, sizeof salt) &&
                hash_by(folded, salt, out);
    int error = errno;
    explicit_bzero(folded, sizeof folded);
    return good ? ST_OK : cause_set(cause, ST_IO, "crypt: %s", strerror(error));
}

bool directory_password_is(const char *stored, const char *password)
{
    char given[DIR_PASSWORD_BYTES] = "", folded[DIR_NAME_BYTES];
    unsigned differ = !fold(password, folded) || !*stored;
    if (*stored == '$' && strlen(stored) > 8)
        differ |= !hash_by(folded, stored, given);
    else
        memcpy(given, folded, sizeof folded);
    for (size_t i = 0, end = 0; i < DIR_PASSWORD_BYTES && !end; i++) {
        differ |= (unsigned char)given[i] ^ (unsigned char)stored[i];
        end = !stored[i];
    }
    explicit_bzero(given, sizeof given);
    explicit_bzero(folded, sizeof folded);
    return !differ;
}
