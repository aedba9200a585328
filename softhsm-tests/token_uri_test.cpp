#include "token/uri.h"

#include <catch2/catch.hpp>

#include "mime/error.h"

using p11mime::Error;
using p11mime::ErrorKind;
using p11mime::token::TokenInfo;
using p11mime::token::Uri;

namespace {

std::string refusal(std::string_view text) {
    try {
        Uri::parse(text);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("the examples of RFC 7512 section 3 are read") {
    SECTION("the empty URI") {
        const Uri uri = Uri::parse("pkcs11:");
        CHECK_FALSE(uri.token);
        CHECK(uri.matches(TokenInfo{}));
        CHECK(uri.to_string() == "pkcs11:");
    }
    SECTION("a public key by label") {
        const Uri uri = Uri::parse("pkcs11:object=my-pubkey;type=public");
        CHECK(uri.object == "my-pubkey");
        CHECK(uri.type == "public");
    }
    SECTION("a PIN in a file") {
        const Uri uri = Uri::parse("pkcs11:object=my-key;type=private?pin-source=file:/etc/token");
        CHECK(uri.pin_source == "file:/etc/token");
    }
    SECTION("all token attributes, and an empty one") {
        const Uri uri = Uri::parse(
            "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
            "object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin");
        CHECK(uri.token == "The Software PKCS#11 Softtoken");
        CHECK(uri.manufacturer == "Snake Oil, Inc.");
        CHECK(uri.model == "1.0");
        CHECK(uri.serial == "");
        CHECK(uri.object == "my-certificate");
        CHECK(uri.id == "\x69\x95\x3e\x5c\xf4\xbd\xec\x91");
    }
    SECTION("a module by name and by path") {
        CHECK(Uri::parse("pkcs11:object=my-sign-key;type=private?module-name=mypkcs11").module_name == "mypkcs11");
        CHECK(Uri::parse("pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1").module_path ==
              "/mnt/libmypkcs11.so.1");
    }
    SECTION("a PIN itself") {
        const Uri uri = Uri::parse(
            "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin");
        REQUIRE(uri.pin_value);
        CHECK(p11mime::text_of(*uri.pin_value) == "the-pin");
        CHECK(uri.to_string().find("the-pin") == std::string::npos);
    }
    SECTION("slot and library") {
        CHECK(Uri::parse("pkcs11:slot-description=Sun%20Metaslot").slot_description == "Sun Metaslot");
        const Uri uri = Uri::parse(
            "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;"
            "library-version=1.23");
        CHECK(uri.library_manufacturer == "Snake Oil, Inc.");
        CHECK(uri.library_description == "Soft Token Library");
        CHECK(uri.library_version == "1.23");
    }
    SECTION("encoded percent sign, mixed case in hex digits") {
        const Uri uri = Uri::parse(
            "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06");
        CHECK(uri.token == "My token% created by Joe");
        CHECK(uri.id == "\x01\x02\x03\xba\xdd\xca\xfe\x04\x05\x06");
    }
    SECTION("encoded separator") {
        CHECK(
            Uri::parse("pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert").token ==
            "A name with a substring %;");
    }
    SECTION("UTF-8") {
        CHECK(Uri::parse("pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;type=cert").token ==
              "Name with a small A with acute: \xc3\xa1");
    }
    SECTION("vendor attributes") {
        const Uri uri = Uri::parse(
            "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a"
            "?pin-source=file:/etc/token_pin&vendor-bbb=value-b");
        CHECK(uri.token == "my-token");
        CHECK(uri.pin_source == "file:/etc/token_pin");
    }
}

TEST_CASE("a URI is printed with exactly the encoding that RFC 7512 asks for") {
    Uri uri;
    uri.token = "a:[]@!$'()*+,=&b";
    CHECK(uri.to_string() == "pkcs11:token=a:[]@!$'()*+,=&b");
    uri.token = "a b/c?d#e;f%g\"|\xc3\xa1";
    CHECK(uri.to_string() == "pkcs11:token=a%20b%2Fc%3Fd%23e%3Bf%25g%22%7C%C3%A1");
    uri = Uri{};
    uri.module_path = "/lib/a b&c?d|e;f";
    CHECK(uri.to_string() == "pkcs11:?module-path=/lib/a%20b%26c?d|e%3Bf");
    uri = Uri{};
    uri.id = std::string("az\x00\xff", 4);
    uri.type = "private";
    CHECK(uri.to_string() == "pkcs11:id=%61%7A%00%FF;type=private");
    uri = Uri{};
    uri.slot_id = 7;
    CHECK(uri.to_string() == "pkcs11:slot-id=7");
}

TEST_CASE("what is printed reads back as the same") {
    const std::string text =
        "pkcs11:token=ID%20card;manufacturer=M;model=v2;serial=12;library-version=2.6;slot-description=R;object=A;"
        "id=%01;type=cert;slot-id=3?pin-source=file:/p&module-name=softhsm2";
    CHECK(Uri::parse(text).to_string() == text);
}

TEST_CASE("malformed URIs are refused with what is wrong") {
    CHECK(refusal("http://example.org/") == "bad PKCS#11 URI: it does not begin with pkcs11:");
    CHECK(refusal("pkcs11:tokn=x") == "bad PKCS#11 URI: unknown attribute tokn");
    CHECK(refusal("pkcs11:token=x?pinsource=y") == "bad PKCS#11 URI: unknown attribute pinsource");
    CHECK(refusal("pkcs11:token=x;token=y") == "bad PKCS#11 URI: token is there twice");
    CHECK(refusal("pkcs11:?pin-source=x&pin-source=y") == "bad PKCS#11 URI: pin-source is there twice");
    CHECK(refusal("pkcs11:token") == "bad PKCS#11 URI: an attribute is not of the form name=value");
    CHECK(refusal("pkcs11:;token=x") == "bad PKCS#11 URI: an attribute is not of the form name=value");
    CHECK(refusal("pkcs11:token=x;") == "bad PKCS#11 URI: an attribute is not of the form name=value");
    CHECK(refusal("pkcs11:token=%2") == "bad PKCS#11 URI: '%' in token is not followed by two hex digits");
    CHECK(refusal("pkcs11:token=%zz") == "bad PKCS#11 URI: '%' in token is not followed by two hex digits");
    CHECK(refusal("pkcs11:token=a b") == "bad PKCS#11 URI: token has a character that must be written as %20");
    CHECK(refusal("pkcs11:token=a/b") == "bad PKCS#11 URI: token has a character that must be written as %2F");
    CHECK(refusal("pkcs11:token=\xc3\xa1") == "bad PKCS#11 URI: token has a character that must be written as %C3");
    CHECK(refusal("pkcs11:type=key") == "bad PKCS#11 URI: unknown type");
    CHECK(refusal("pkcs11:slot-id=x") == "bad PKCS#11 URI: slot-id is not a number");
    CHECK(refusal("pkcs11:slot-id=99999999999999999999") == "bad PKCS#11 URI: slot-id is not a number");
    CHECK(refusal("pkcs11:library-version=1.") == "bad PKCS#11 URI: library-version is not of the form 1 or 1.23");
    CHECK(refusal("pkcs11:library-version=1.2.3") == "bad PKCS#11 URI: library-version is not of the form 1 or 1.23");
    CHECK(refusal("pkcs11:?pin-source=file:/p&pin-value=1") ==
          "bad PKCS#11 URI: pin-source and pin-value exclude each other");
    CHECK(refusal(std::string("pkcs11:token=") + std::string(20'000, 'a')) == "bad PKCS#11 URI: it is too long");
}

TEST_CASE("a pin-source that runs a command is refused, encoded or not") {
    CHECK(refusal("pkcs11:?pin-source=|/usr/lib/pinomatic") == "a pin-source that runs a command is refused");
    CHECK(refusal("pkcs11:?pin-source=%7C/usr/lib/pinomatic") == "a pin-source that runs a command is refused");
}

TEST_CASE("vendor attributes are ignored and the scheme is read in any case") {
    CHECK(Uri::parse("PKCS11:x-thing=1;token=T?x-other=2").token == "T");
}

TEST_CASE("every attribute of a URI narrows the tokens that match") {
    TokenInfo info;
    info.label = "T";
    info.manufacturer = "M";
    info.model = "v2";
    info.serial = "12";
    info.slot_id = 3;
    info.slot_description = "R";
    info.slot_manufacturer = "S";
    info.library_manufacturer = "L";
    info.library_description = "D";
    info.library_version = "2.0";
    for (const char* fitting :
         {"pkcs11:token=T", "pkcs11:manufacturer=M", "pkcs11:model=v2", "pkcs11:serial=12", "pkcs11:slot-id=3",
          "pkcs11:slot-description=R", "pkcs11:slot-manufacturer=S", "pkcs11:library-manufacturer=L",
          "pkcs11:library-description=D", "pkcs11:library-version=2.0", "pkcs11:library-version=2",
          "pkcs11:object=anything;id=%01"})
        CHECK(Uri::parse(fitting).matches(info));
    for (const char* other :
         {"pkcs11:token=t", "pkcs11:manufacturer=", "pkcs11:model=v", "pkcs11:serial=1", "pkcs11:slot-id=4",
          "pkcs11:slot-description=Q", "pkcs11:slot-manufacturer=Q", "pkcs11:library-manufacturer=Q",
          "pkcs11:library-description=Q", "pkcs11:library-version=2.1"})
        CHECK_FALSE(Uri::parse(other).matches(info));
}
