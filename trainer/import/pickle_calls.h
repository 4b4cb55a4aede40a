#pragma once

#include <stdexcept>

#include "trainer/import/pickle_value.h"

namespace casvit::trainer {

/// What is wrong with a pickle; whoever reads it adds the file and the place.
class PickleDefect : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Adds a value. @throws PickleDefect where the pickle makes too many.
ValueId add_value(PickleGraph& graph, PickleValue value);

/// What Python's call `callable(*arguments)` makes, for known globals alone; nothing is executed.
/// @throws PickleDefect for arguments that the call does not take, and for anything not callable
ValueId make_call(PickleGraph& graph, ValueId callable, ValueId arguments);

/// Gives an object the state that its pickle brings (BUILD). What dictionaries and tensors carry as
/// attributes is passed over. @throws PickleDefect for values that can have none
void set_state(PickleGraph& graph, ValueId object, ValueId state);

/// The storage that a persistent id of torch.save names.
/// @throws PickleDefect for any other id, and where one storage is described in two ways
ValueId refer_to_storage(PickleGraph& graph, ValueId persistent_id);

}  // namespace casvit::trainer
