#pragma once

#include "softhsm-tests/matrix/people.h"
#include "softhsm-tests/matrix/signature_rows.h"

namespace p11mime::test::matrix {

/// SignedForm is the form of a signed message: MIME, or bare CMS in DER, with a clear row the signature alone.
using SignedForm = cms::smime::Form;

/// write_signed has p11mime sign kText with the key on the token, and changes the content where the row says so, unless
/// it goes beside. What does not work is an exception.
std::string write_signed(People& people, const SignatureRow& row, SignedForm form);

/// read_signed has p11mime verify a message: kOk, "weak", or why it is not valid or not what the row says.
std::string read_signed(const People& people, const SignatureRow& row, const std::string& message);

/// received is a peer's message as it arrives: a bare signature of a clear row in multipart/signed beside kText, and
/// the content changed where the row says so.
std::string received(const SignatureRow& row, const std::string& message);

}  // namespace p11mime::test::matrix
