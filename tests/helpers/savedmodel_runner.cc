// Asks a SavedModel as TensorFlow Serving does: its C++ loader, one session, no XLA, nothing of Python.
//
//     savedmodel_runner MODEL < REQUESTS
//
// Each line of REQUESTS is "SIGNATURE FOLDER". The folder holds one serialized TensorProto for each input, named after it; the
// outputs are written to FOLDER/out. The program prints TensorFlow's version, and then for each line OK or the error.

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/compiler/jit/flags.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor.pb.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session.h"

namespace tf = tensorflow;

// Runs a signature of the model on the tensors of a folder.
absl::Status Answer(const tf::SavedModelBundle& model, const std::string& name, const std::string& folder) {
  const auto found = model.meta_graph_def.signature_def().find(name);
  if (found == model.meta_graph_def.signature_def().end()) return absl::NotFoundError("no signature " + name);

  std::vector<std::pair<std::string, tf::Tensor>> inputs;
  for (const auto& [input, info] : found->second.inputs()) {
    tf::TensorProto proto;
    tf::Tensor tensor;
    TF_RETURN_IF_ERROR(tf::ReadBinaryProto(tf::Env::Default(), folder + "/" + input, &proto));
    if (!tensor.FromProto(proto)) return absl::InvalidArgumentError("no tensor: " + input);
    inputs.emplace_back(info.name(), tensor);
  }

  std::vector<std::string> names, fetches;
  for (const auto& [output, info] : found->second.outputs()) {
    names.push_back(output);
    fetches.push_back(info.name());
  }
  std::vector<tf::Tensor> outputs;
  TF_RETURN_IF_ERROR(model.session->Run(inputs, fetches, {}, &outputs));

  TF_RETURN_IF_ERROR(tf::Env::Default()->RecursivelyCreateDir(folder + "/out"));
  for (size_t i = 0; i < outputs.size(); ++i) {
    tf::TensorProto proto;
    outputs[i].AsProtoField(&proto);
    TF_RETURN_IF_ERROR(tf::WriteBinaryProto(tf::Env::Default(), folder + "/out/" + names[i], proto));
  }
  return absl::OkStatus();
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: savedmodel_runner MODEL < REQUESTS\n";
    return 2;
  }
  tf::DisableXlaCompilation();
  tf::SavedModelBundle model;
  const absl::Status loaded = tf::LoadSavedModel(tf::SessionOptions(), tf::RunOptions(), argv[1], {"serve"}, &model);
  if (!loaded.ok()) {
    std::cerr << loaded << "\n";
    return 1;
  }
  std::cout << TF_Version() << std::endl;
  std::string name, folder;
  while (std::cin >> name >> folder) std::cout << Answer(model, name, folder) << std::endl;
  return 0;
}
