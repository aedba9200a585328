#pragma once

#include "softhsm-tests/matrix/people.h"
#include "softhsm-tests/matrix/recipient_rows.h"

namespace p11mime::test::matrix {

/// write_encrypted has p11mime encrypt kText, as bare CMS in DER. What does not work is an exception.
std::string write_encrypted(const People& people, const RecipientRow& row);

/// read_encrypted has p11mime decrypt bare CMS with the key on the token: kOk, "weak", or why it does not or is not
/// what the row says.
std::string read_encrypted(People& people, const RecipientRow& row, const std::string& message);

/// received is a message as it arrives: with a byte of the ciphertext changed where the row says so.
std::string received(const RecipientRow& row, std::string message);

}  // namespace p11mime::test::matrix
