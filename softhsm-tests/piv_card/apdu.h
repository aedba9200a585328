#pragma once

#include <cstdint>
#include <optional>

#include "mime/bytes.h"

namespace p11mime::piv_card {

/// Instruction is the INS byte of the commands that a PIV card has (SP 800-73-4 part 2, section 3).
enum Instruction : Byte {
    kVerify = 0x20,
    kChangeReferenceData = 0x24,
    kResetRetryCounter = 0x2c,
    kGeneralAuthenticate = 0x87,
    kSelect = 0xa4,
    kGetResponse = 0xc0,
    kGetData = 0xcb,
};

/// Apdu is a command in the short form of ISO 7816-4.
struct Apdu {
    Byte cla = 0, ins = 0, p1 = 0, p2 = 0;
    Bytes data;
    std::size_t expected = 256;  ///< how many bytes of answer at most: Le; 256 for 00, and where there is none

    bool chained() const { return (cla & 0x10) != 0; }  ///< more of the command follows
};

/// parse_apdu returns nothing for what is no such command.
std::optional<Apdu> parse_apdu(ByteView bytes);

/// Answer is what a card says: data and SW1 SW2.
struct Answer {
    std::uint16_t status = 0;
    Bytes data;
};

/// Status words (SP 800-73-4 part 1, section 5.6; ISO 7816-4).
enum Status : std::uint16_t {
    kDone = 0x9000,
    kMoreData = 0x6100,   // SW2: how much
    kTriesLeft = 0x63c0,  // and how many
    kWrongLength = 0x6700,
    kSecurityStatusNotSatisfied = 0x6982,
    kBlocked = 0x6983,
    kConditionsNotSatisfied = 0x6985,
    kWrongData = 0x6a80,
    kNotFound = 0x6a82,
    kWrongParameters = 0x6a86,
    kNoSuchReference = 0x6a88,
    kNoSuchInstruction = 0x6d00,
};

}  // namespace p11mime::piv_card
