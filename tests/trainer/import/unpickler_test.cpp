// Values that pickles of weights hold come out; everything else is refused by its name.

#include "trainer/import/unpickler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "tests/trainer/import/torch_file_writer.h"
#include "trainer/error.h"
#include "trainer/import/known_globals.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;
using testing::AllOf;
using testing::HasSubstr;

const std::string kPath = "weights.pth";

struct Loaded {
  PickleGraph graph;
  ValueId root = 0;
  const PickleValue& value() const { return graph[root]; }
  const PickleValue& at(std::size_t place) const { return graph[value().items.at(place)]; }
};

Loaded load(const std::string& pickle) {
  Loaded loaded;
  loaded.root = Unpickler(pickle, kPath, loaded.graph).load();
  return loaded;
}

std::string refusal(const std::string& pickle) {
  return message_of<CheckpointError>([&] { load(pickle); });
}

TEST(Unpickler, NumbersOfEveryOpcode) {
  const auto integer = [](const std::string& opcodes) { return load(opcodes + ".").value(); };
  EXPECT_EQ(integer("J\xfe\xff\xff\xff").integer, -2);
  EXPECT_EQ(integer("K\xff").integer, 255);
  EXPECT_EQ(integer("M\x01\x02").integer, 513);
  EXPECT_EQ(integer(std::string("\x8a\x00", 2)).integer, 0);
  EXPECT_EQ(integer("\x8a\x01\xff").integer, -1);
  EXPECT_EQ(integer(std::string("\x8a\x02\xff\x00", 4)).integer, 255);
  EXPECT_EQ(integer(std::string("\x8b\x01\x00\x00\x00\x80", 6)).integer, -128);
  EXPECT_EQ(integer("I-17\n").integer, -17);
  EXPECT_EQ(integer("L123L\n").integer, 123);
  EXPECT_EQ(integer("I01\n").kind, Kind::kBool);
  EXPECT_EQ(integer("L123456789012345678901L\n").kind, Kind::kBigInteger);
  EXPECT_EQ(integer("\x8a\x09" + std::string(9, '\1')).kind, Kind::kBigInteger);
  EXPECT_EQ(integer("F-1.5e2\n").real, -150);
  EXPECT_EQ(integer(std::string("G\x3f\xf8\0\0\0\0\0\0", 9)).real, 1.5);
  EXPECT_EQ(integer("N").kind, Kind::kNone);
  EXPECT_EQ(integer("\x88").integer, 1);
  EXPECT_EQ(integer("\x89").integer, 0);
}

TEST(Unpickler, TextsOfEveryOpcode) {
  const auto text = [](const std::string& opcodes) { return load(opcodes + ".").value().text; };
  EXPECT_EQ(text(std::string("X\2\0\0\0ab", 7)), "ab");
  EXPECT_EQ(text("\x8c\2ab"), "ab");
  EXPECT_EQ(text(std::string("\x8d\2\0\0\0\0\0\0\0ab", 11)), "ab");
  EXPECT_EQ(text("VMa\\u00efs \xe9\n"), "Ma\xc3\xafs \xc3\xa9");
  EXPECT_EQ(text("V\\ud800\\U0001f600\n"), "\xef\xbf\xbd\xf0\x9f\x98\x80");
  EXPECT_EQ(text("S'a\\n\\x41\\101\\''\n"), "a\nAA'");
  EXPECT_EQ(text("U\2ab"), "ab");
  EXPECT_EQ(text(std::string("C\2\0\xff", 4)), std::string("\0\xff", 2));
}

TEST(Unpickler, ContainersKeepOrderAndShareWhatIsShared) {
  // {"a": [1, 2], "b": the same list}
  const Loaded dict =
      load(PickleWriter().raw("}(").text("a").raw("](K\1K\2eq\7").text("b").raw("h\7u").end());
  ASSERT_EQ(dict.value().kind, Kind::kDict);
  ASSERT_EQ(dict.value().items.size(), 4U);
  EXPECT_EQ(dict.value().items[1], dict.value().items[3]);
  EXPECT_EQ(dict.at(1).items.size(), 2U);
  EXPECT_EQ(dict.graph.find(dict.value(), "b"), &dict.at(3));
  EXPECT_EQ(dict.graph.find(dict.value(), "c"), nullptr);
}

TEST(Unpickler, OfRepeatedKeysTheLastOneCounts) {
  const Loaded dict =
      load(PickleWriter().raw("}(").text("a").raw("K\1").text("a").raw("K\2u").end());
  EXPECT_EQ(dict.graph.find(dict.value(), "a")->integer, 2);
}

TEST(Unpickler, CyclesAreValuesLikeOthers) {
  EXPECT_EQ(load(std::string("]q\0h\0a.", 7)).value().items.size(), 1U);
  const Loaded cycle = load(std::string("]q\0h\0a.", 7));
  EXPECT_EQ(cycle.value().items[0], cycle.root);
}

TEST(Unpickler, PassiveTypesAreKeptUnread) {
  const Loaded space = load(
      PickleWriter().global("argparse", "Namespace").raw(")\x81}").text("lr").raw("K\7sb").end());
  ASSERT_EQ(space.value().kind, Kind::kObject);
  EXPECT_EQ(full_name(*space.value().global), "argparse.Namespace");
  EXPECT_EQ(space.graph.find(space.at(1), "lr")->integer, 7);
  // Protocol 0 and 1 make it by copy_reg.
  const Loaded old = load(PickleWriter()
                              .global("copy_reg", "_reconstructor")
                              .raw("(")
                              .global("argparse", "Namespace")
                              .global("__builtin__", "object")
                              .raw("NtR}b")
                              .end());
  EXPECT_EQ(full_name(*old.value().global), "argparse.Namespace");
}

TEST(Unpickler, NumpyNumbersAreNumbers) {
  const auto scalar = [](const char* code, const std::string& order, const std::string& latin1) {
    PickleWriter writer;
    writer.global("numpy.core.multiarray", "scalar").global("numpy", "dtype").text(code);
    writer.raw("\x89\x88\x87R(K\3").text(order).raw("NNNNNNtb");
    writer.global("_codecs", "encode").text(latin1).text("latin1").raw("\x86R\x86R");
    return load(writer.end());
  };
  const std::string zeros(6, '\0');
  EXPECT_EQ(scalar("f8", "<", zeros + "\xc3\xb0?").value().real, 1);
  EXPECT_EQ(scalar("i8", "<", "\x07" + std::string(7, '\0')).value().integer, 7);
  EXPECT_EQ(scalar("f8", ">", zeros + "\xc3\xb0?").value().kind, Kind::kObject);
  EXPECT_EQ(scalar("f8", "<", zeros).value().kind, Kind::kObject);
  EXPECT_EQ(scalar("V9", "<", zeros).value().kind, Kind::kObject);
}

TEST(Unpickler, OrderedDictOfPairs) {
  const Loaded dict = load(PickleWriter()
                               .global("collections", "OrderedDict")
                               .raw("](")
                               .text("a")
                               .raw("K\1\x86")
                               .text("b")
                               .raw("K\2\x86"
                                    "e\x85R")
                               .end());
  ASSERT_EQ(dict.value().kind, Kind::kDict);
  EXPECT_EQ(dict.graph.find(dict.value(), "a")->integer, 1);
  EXPECT_EQ(dict.graph.find(dict.value(), "b")->integer, 2);
}

// Names that run something, or that nobody needs for weights: each refused by name.
class Refused : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Refused, ByNameAndUnexecuted) {
  const auto [module, name] = GetParam();
  const std::string full = std::string(module) + "." + name;
  const auto expected =
      AllOf(HasSubstr(kPath), HasSubstr('"' + full + '"'), HasSubstr("nothing was executed"));
  EXPECT_THAT(refusal(PickleWriter().global(module, name).raw("(").text("touch x").raw("tR").end()),
              expected);
  EXPECT_THAT(refusal(PickleWriter().text(module).text(name).raw("\x93.").end()), expected);
  EXPECT_THAT(refusal(std::string("(i") + module + "\n" + name + "\n."), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Names, Refused,
    testing::Values(std::pair("os", "system"), std::pair("posix", "system"),
                    std::pair("builtins", "eval"), std::pair("builtins", "exec"),
                    std::pair("builtins", "getattr"), std::pair("__builtin__", "eval"),
                    std::pair("builtins", "__import__"), std::pair("subprocess", "Popen"),
                    std::pair("torch.load", "x"),
                    std::pair("torch._utils", "_rebuild_sparse_tensor"),
                    std::pair("collections", "OrderedDict.__reduce__"),
                    std::pair("collections.OrderedDict", ""), std::pair("rcvit", "RCViT")));

TEST(Unpickler, RefusesWhatIsNoCall) {
  EXPECT_THAT(refusal("K\1)R."), HasSubstr("calls an integer"));
  EXPECT_THAT(refusal(PickleWriter().global("torch", "FloatStorage").raw(")R").end()),
              HasSubstr("calls torch.FloatStorage"));
  EXPECT_THAT(refusal(PickleWriter().global("argparse", "Namespace").raw("K\1R").end()),
              HasSubstr("arguments that it does not take"));
  EXPECT_THAT(refusal("K\1Nb."), HasSubstr("gives a state to an integer"));
  EXPECT_THAT(refusal("K\1Q."), HasSubstr("no storage of a tensor"));
  EXPECT_THAT(refusal("K\1N\x85"
                      "a."),
              HasSubstr("adds items to an integer"));
}

TEST(Unpickler, RefusesOpcodesThatWeightsDoNotUse) {
  for (const char* opcode : {"\x82", "\x83", "\x84", "\x97", "\x98", "P", "?"}) {
    EXPECT_THAT(refusal(opcode + std::string(8, '\n')), HasSubstr("opcode")) << opcode;
  }
  EXPECT_THAT(refusal("\x80\x06."), HasSubstr("protocol 6"));
}

TEST(Unpickler, RefusesPicklesThatEndEarly) {
  const std::string whole = PickleWriter()
                                .raw("}(")
                                .text("a")
                                .tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1})
                                .raw("u")
                                .end();
  load(whole);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(refusal(whole.substr(0, length)), HasSubstr(kPath)) << length;
  }
}

TEST(Unpickler, RefusesStacksThatDoNotFit) {
  for (const char* pickle :
       {".",  "0",  "(0.",   "t.",    "(.",         "1",    "2",       "R",   "K\1R", "a",
        "]a", "s",  "}K\1s", "(K\1u", "}(K\1u.",    "\x85", "K\1\x86", "h\1", "q\1",  "b",
        "o",  "(o", "Q",     "\x93",  "K\1K\2\x93", "e",    "(e",      "u",   "\x81", "\x92"}) {
    EXPECT_THAT(refusal(pickle), HasSubstr(kPath)) << pickle;
  }
}

// What could grow without bound does not: memory is bounded by the limits, time by the bytes.
TEST(Unpickler, NestedListsOfAMillionLevelsAreNoRecursion) {
  EXPECT_EQ(load(std::string(1 << 19, ']') + std::string((1 << 19) - 1, 'a') + ".").graph.size(),
            std::size_t{1} << 19);
  EXPECT_THAT(refusal(std::string((1 << 20) + 1, ']')), HasSubstr("more than 1048576 values"));
  EXPECT_THAT(refusal(std::string((1 << 20) + 1, '(')), HasSubstr("too many marks"));
  EXPECT_THAT(refusal("N" + std::string(1 << 21, '2')), HasSubstr("too many"));
  EXPECT_THAT(refusal("N" + std::string(1 << 21, '\x94')), HasSubstr("too many"));
}

TEST(Unpickler, SharedListsOfListsStaySmall) {
  // "Billion laughs": each of 1000 lists holds the one before it ten times.
  PickleWriter laughs;
  laughs.raw("]q").raw({"\0", 1});
  for (int level = 0; level < 1000; ++level) {
    const std::string before(1, static_cast<char>(level % 250));
    const std::string place(1, static_cast<char>((level + 1) % 250));
    laughs.raw("](");
    for (int i = 0; i < 10; ++i) laughs.raw("h" + before);
    laughs.raw("eq" + place);
  }
  EXPECT_EQ(load(laughs.end()).graph.size(), 1001U);
}

TEST(Unpickler, CopiesOfLargeValuesAreCounted) {
  // A list of pairs that every call of OrderedDict would copy.
  PickleWriter pairs;
  pairs.raw("](");
  for (int i = 0; i < 50000; ++i) pairs.raw("K\1K\2\x86");
  pairs.raw("e\x85q\1").global("collections", "OrderedDict").raw("q\2");
  for (int i = 0; i < 2000; ++i) pairs.raw("h\2h\1R0");
  EXPECT_THAT(refusal(pairs.end()), HasSubstr("copies too much"));
  PickleWriter bytes;
  bytes.text(std::string(1 << 20, 'a')).text("latin1").raw("\x86q\1");
  bytes.global("_codecs", "encode").raw("q\2");
  for (int i = 0; i < 2000; ++i) bytes.raw("h\2h\1R0");
  EXPECT_THAT(refusal(bytes.end()), HasSubstr("copies too much"));
}

TEST(Unpickler, TensorsOfImpossibleShapesAreRefused) {
  const auto tensor = [](const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides) {
    return PickleWriter().tensor("FloatStorage", "0", 6, 0, shape, strides).end();
  };
  load(tensor({2, 3}, {3, 1}));
  EXPECT_THAT(refusal(tensor({2, -3}, {3, 1})), HasSubstr("integers from 0"));
  EXPECT_THAT(refusal(tensor({2, 3}, {3, -1})), HasSubstr("integers from 0"));
  EXPECT_THAT(refusal(tensor({2, 3}, {3})), HasSubstr("impossible shape"));
  EXPECT_THAT(refusal(tensor({1LL << 32, 1LL << 32}, {1, 1})), HasSubstr("impossible shape"));
  EXPECT_THAT(refusal(tensor(std::vector<std::int64_t>(9, 1), std::vector<std::int64_t>(9, 1))),
              HasSubstr("tuple of up to 8"));
  EXPECT_THAT(refusal(PickleWriter().storage("FloatStorage", "0", 1LL << 62).end()),
              HasSubstr("impossible size"));
  EXPECT_THAT(
      refusal(PickleWriter().storage("FloatStorage", "0", 6).storage("HalfStorage", "0", 6).end()),
      HasSubstr("in two ways"));
}

}  // namespace
}  // namespace casvit::trainer
