# embed(TARGET FOLDER PREFIX files…) puts files into the program. They are found again through core::asset("PREFIX/name").
function(embed target prefix folder)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*)
    set(list ${CMAKE_BINARY_DIR}/embed/${target}.files)
    list(JOIN files "\n" text)
    file(CONFIGURE OUTPUT ${list} CONTENT "${text}" @ONLY)
    set(out ${CMAKE_BINARY_DIR}/embed/${target})
    add_custom_command(OUTPUT ${out}.S ${out}.cpp
        COMMAND python3 ${PROJECT_SOURCE_DIR}/tools/embed.py ${target} ${prefix} ${folder} ${list} ${out}
        DEPENDS ${PROJECT_SOURCE_DIR}/tools/embed.py ${list} ${files})
    add_library(${target} OBJECT ${out}.S ${out}.cpp)
    set_source_files_properties(${out}.S PROPERTIES OBJECT_DEPENDS "${files}")
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()
