/* Passwords of the directory as crypt(3) hashes them. */
#ifndef ENDICOTT_HYP_PASSWORD_H
#define ENDICOTT_HYP_PASSWORD_H

#include "hyp/directory.h"

/** Is this a hash of a method that crypt(3) of this host can check? */
bool directory_hash_ok(const char *hash);
/** Hash a password, folded to capitals as it is compared: `method` "yescrypt" (NULL) or
 *  "sha512". ST_INVAL: no password of 1-8 characters, or no such method. */
int directory_hash(const char *password, const char *method, char out[DIR_PASSWORD_BYTES],
                   struct cause *cause);
/** Is `password` the one that `stored` (in clear or hashed) says? The same time for every wrong
 *  one of a kind. */
bool directory_password_is(const char *stored, const char *password);

#endif
